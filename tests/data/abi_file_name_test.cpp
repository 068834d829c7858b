// Names of ABI files: real ones, and ones with each part wrong.
#include <gtest/gtest.h>

#include "../expect_error.hpp"
#include "data/abi/file_name.hpp"

namespace plume::tests {
namespace {

using data::abi::parse_file_name;
using data::abi::stamp_of;
using data::abi::text_of;

TEST(AbiFileName, OfRadiances) {
  const auto name =
      parse_file_name("a/folder/OR_ABI-L1b-RadM1-M6C07_G17_s20193002000275_e20193002000344_c20193002000390.nc");
  EXPECT_EQ(name.product, "L1b-Rad");
  EXPECT_EQ(name.sector, "M1");
  EXPECT_EQ(name.mode, 6);
  EXPECT_EQ(name.channel, 7);
  EXPECT_EQ(name.satellite, 17);
  EXPECT_EQ(text_of(name.start), "2019-10-27T20:00:27.5Z");
  EXPECT_EQ(text_of(name.end), "2019-10-27T20:00:34.4Z");
  EXPECT_EQ(text_of(name.created), "2019-10-27T20:00:39.0Z");
  EXPECT_EQ(stamp_of(name.created), "20193002000390");
  EXPECT_EQ(name.environment, "OR");
}

TEST(AbiFileName, OfOtherProducts) {
  const auto fire = parse_file_name("OR_ABI-L2-FDCC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc");
  EXPECT_EQ(fire.product, "L2-FDC");
  EXPECT_EQ(fire.sector, "C");
  EXPECT_EQ(fire.channel, 0);
  const auto cmip = parse_file_name("OR_ABI-L2-CMIPF-M3C13_G16_s20182642250204_e20182642255000_c20182642255010.nc");
  EXPECT_EQ(cmip.product, "L2-CMIP");
  EXPECT_EQ(cmip.sector, "F");
  EXPECT_EQ(cmip.mode, 3);
  EXPECT_EQ(cmip.channel, 13);
  EXPECT_EQ(parse_file_name("OT_ABI-L1b-RadM2-M4C16_G19_s20250010000000_e20250010000000_c20250010000000.nc").sector,
            "M2");
}

TEST(AbiFileName, LeapYearsHaveAnotherDay) {
  EXPECT_EQ(
      text_of(parse_file_name("OR_ABI-L1b-RadF-M6C01_G16_s20203662359599_e20210010000000_c20210010000000.nc").start),
      "2020-12-31T23:59:59.9Z");
  expect_input_error(
      [] { (void)parse_file_name("OR_ABI-L1b-RadF-M6C01_G16_s20213662359599_e20220010000000_c20220010000000.nc"); },
      "'s20213662359599' is no start");
}

struct Wrong {
  const char* name;
  const char* part;
};

class AbiFileNameWrong : public testing::TestWithParam<Wrong> {};

TEST_P(AbiFileNameWrong, SaysWhichPart) {
  EXPECT_FALSE(std::string(GetParam().part).empty());
  expect_input_error([] { (void)parse_file_name(GetParam().name); }, GetParam().name, GetParam().part);
}

INSTANTIATE_TEST_SUITE_P(
    Parts, AbiFileNameWrong,
    testing::Values(
        Wrong{"tile.nc", "'tile.nc' is no system environment"},
        Wrong{"ORX_ABI-L1b-RadF-M6C01_G16_s1_e1_c1.nc", "'ORX' is no system environment"},
        Wrong{"OR_SUVI-L1b-Fe093_G16_s20193002000275_e20193002000332_c20193002000379.nc", "'SUVI' is no instrument"},
        Wrong{"OR_ABI-L3-RadF-M6C01_G16_s1_e1_c1.nc", "'L3' is no level"},
        Wrong{"OR_ABI-L1b-RadX-M6C01_G16_s1_e1_c1.nc", "'RadX' is no product"},
        Wrong{"OR_ABI-L1b-F-M6C01_G16_s1_e1_c1.nc", "'F' is no product"},
        Wrong{"OR_ABI-L1b-RadF-6C01_G16_s1_e1_c1.nc", "'6C01' is no mode"},
        Wrong{"OR_ABI-L1b-RadF-M6C17_G16_s1_e1_c1.nc", "'M6C17' is no mode"},
        Wrong{"OR_ABI-L1b-RadF-M6C+1_G16_s1_e1_c1.nc", "'M6C+1' is no mode"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G15_s1_e1_c1.nc", "'G15' is no satellite"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G16_s2019300200027_e1_c1.nc", "'s2019300200027' is no start"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G16_s20193002460275_e1_c1.nc", "'s20193002460275' is no start"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G16_s20193002000275_x20193002000332_c1.nc", "'x20193002000332' is no end"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G16_s20193002000275_e20193002000332_c2019.nc", "'c2019' is no creation"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G16_s20193002000275_e20193002000332_c20193002000379.nc.part", "no ending .nc"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G16_s20193002000275_e20193002000332", "is no end"},
        Wrong{"OR_ABI-L1b-RadF-M6C01_G16_s20193002000275_e20193001959599_c20193002000379.nc", "ends before it starts"}),
    [](const auto& info) { return std::to_string(info.index); });

TEST(AbiFileName, AreToldFromOthers) {
  EXPECT_TRUE(data::abi::is_abi_name("x/OR_ABI-L1b-whatever.nc"));
  EXPECT_FALSE(data::abi::is_abi_name("OR_ABI-L1b-RadF.tif"));
  EXPECT_FALSE(data::abi::is_abi_name("OR_GLM-L2-LCFA_G16.nc"));
  EXPECT_FALSE(data::abi::is_abi_name(".nc"));
}

}  // namespace
}  // namespace plume::tests

// The layout of NOAA's buckets, by keys that are there.
#include <gtest/gtest.h>

#include "../expect_error.hpp"

#include "data/abi/archive.hpp"

namespace plume::tests {
namespace {

using namespace data::abi;
using namespace std::chrono;

Time at(std::string_view stamp) {
  return *time_of_stamp(stamp);
}

ArchiveQuery query(std::string_view first, std::string_view end) {
  return {17, "RadM1", {1, 3}, at(first), at(end)};
}

TEST(AbiArchive, HasAFolderForEveryHour) {
  EXPECT_EQ(archive_bucket(17), "noaa-goes17");
  EXPECT_EQ(archive_prefixes(query("20193002000000", "20193002000300")),
            (std::vector<std::string>{"ABI-L1b-RadM/2019/300/20/OR_ABI-L1b-RadM1-"}));
  // Over the end of a leap year, and an end that does not count.
  ArchiveQuery cmip = query("20203662230000", "20210010100000");
  cmip.product = "CMIPC";
  EXPECT_EQ(archive_prefixes(cmip), (std::vector<std::string>{"ABI-L2-CMIPC/2020/366/22/OR_ABI-L2-CMIPC-",
                                                              "ABI-L2-CMIPC/2020/366/23/OR_ABI-L2-CMIPC-",
                                                              "ABI-L2-CMIPC/2021/001/00/OR_ABI-L2-CMIPC-"}));
  cmip.product = "RadX";
  expect_input_error([&] { static_cast<void>(archive_prefixes(cmip)); }, "RadX");
}

TEST(AbiArchive, TellsFilesByTheirNames) {
  const std::string folder = "ABI-L1b-RadM/2019/300/20/";
  const std::string c01 = folder + "OR_ABI-L1b-RadM1-M6C01_G17_s20193002000275_e20193002000332_c20193002000379.nc";
  const std::string c07 = folder + "OR_ABI-L1b-RadM1-M6C07_G17_s20193002000275_e20193002000344_c20193002000390.nc";
  const ArchiveQuery minute = query("20193002000000", "20193002001000");
  EXPECT_TRUE(is_asked_for(minute, c01));
  EXPECT_FALSE(is_asked_for(minute, c07));
  EXPECT_TRUE(is_asked_for(query("20193002000275", "20193002000276"), c01));
  EXPECT_FALSE(is_asked_for(query("20193002000000", "20193002000275"), c01));  // the end does not count
  EXPECT_FALSE(is_asked_for(query("20193002000276", "20193002001000"), c01));
  EXPECT_FALSE(is_asked_for(minute, folder + "OR_ABI-L1b-RadM1-M6C01_G17_s2019.nc"));
  EXPECT_FALSE(is_asked_for(minute, folder + "index.html"));
  ArchiveQuery other = minute;
  other.satellite = 16;
  EXPECT_FALSE(is_asked_for(other, c01));
  const std::string fires = "OR_ABI-L2-FDCC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc";
  EXPECT_TRUE(is_asked_for(query("20193002000000", "20193002002000"), fires));  // it has no channel
}

}  // namespace
}  // namespace plume::tests

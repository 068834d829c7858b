// CDL as ncdump prints it.
#include "data/synth/cdl.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace plume::tests {
namespace {

using data::synth::CdlType;
using data::synth::parse_cdl;

TEST(Cdl, ReadsAHeaderAndItsData) {
  const auto cdl = parse_cdl(R"(netcdf example {
dimensions:
	y = 3 ;
	x = 4 ;
variables:
	short Rad(y, x) ;
		Rad:_FillValue = 1023s ;
		Rad:long_name = "a name, with = and ; in it" ;
		Rad:valid_range = 0s, 1022s ;
		Rad:scale = 0.5f ;
	double t ;
	byte id(y) ;

// global attributes:
		:title = "ABI L1b Radiances" ;
		:count = 7 ;
		:height = 35786023. ;
data:
  t = 625478430.5 ;
  id = 1, _, 3 ;
}
)");
  ASSERT_EQ(cdl.dimensions.size(), 2U);
  EXPECT_EQ(cdl.dimensions[1], (std::pair<std::string, std::size_t>("x", 4)));
  ASSERT_EQ(cdl.variables.size(), 3U);
  const auto& rad = cdl.variables[0];
  EXPECT_EQ(rad.type, CdlType::i16);
  EXPECT_EQ(rad.dimensions, (std::vector<std::string>{"y", "x"}));
  ASSERT_EQ(rad.attributes.size(), 4U);
  EXPECT_EQ(rad.attributes[0].second.type, CdlType::i16);
  EXPECT_EQ(rad.attributes[1].second.text, "a name, with = and ; in it");
  EXPECT_EQ(rad.attributes[2].second.numbers, (std::vector<double>{0, 1022}));
  EXPECT_EQ(rad.attributes[3].second.type, CdlType::f32);
  EXPECT_TRUE(rad.data.empty());
  EXPECT_EQ(cdl.variables[1].data, std::vector<double>{625478430.5});
  ASSERT_EQ(cdl.variables[2].data.size(), 3U);
  EXPECT_TRUE(std::isnan(cdl.variables[2].data[1]));
  ASSERT_EQ(cdl.attributes.size(), 3U);
  EXPECT_EQ(cdl.attributes[1].second.type, CdlType::i32);
  EXPECT_EQ(cdl.attributes[2].second.type, CdlType::f64);
}

TEST(Cdl, NamesTheLineAtFault) {
  for (const char* text :
       {"dimensions:\n x = four ;\n", "dimensions:\n x = -4 ;\n", "dimensions:\n x = _ ;\n",
        "dimensions:\n x = 1e30 ;\n", "variables:\n complex z ;\n", "variables:\n y:units = \"1\" ;\n",
        "dimensions:\n x = 4\n", "x = 4 ;\n", "data:\n t = 1 ;\n"}) {
    try {
      static_cast<void>(parse_cdl(text));
      ADD_FAILURE() << text;
    } catch (const std::logic_error& error) {
      EXPECT_NE(std::string(error.what()).find(" in: "), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace plume::tests

// ABI files: calibration by hand, what is masked, and every way to be wrong.
#include <gtest/gtest.h>

#include <cmath>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/abi/granule.hpp"
#include "data/abi/summary.hpp"
#include "small_granule.hpp"

namespace plume::tests {
namespace {

using data::abi::Granule;
using data::abi::Quantity;

class AbiGranule : public testing::Test {
 protected:
  std::filesystem::path write(const SmallGranule& granule) {
    auto path = folder_ / small_name(granule.channel);
    write_granule(path, granule);
    return path;
  }
  template <class... Parts>
  void expect_refused(const SmallGranule& granule, const Parts&... parts) {
    const auto path = write(granule);
    expect_input_error([&] { const Granule opened(path); }, path.filename().string(), parts...);
  }
  ScratchFolder folder_;
};

TEST_F(AbiGranule, GivesReflectance) {
  const Granule granule(write({}));
  EXPECT_EQ(granule.quantity(), Quantity::reflectance);
  EXPECT_EQ(granule.name().channel, 1);
  EXPECT_EQ(granule.whole(), (data::PixelWindow{0, 0, 6, 8}));
  const auto values = granule.read(granule.whole());
  const auto radiances = granule.read_radiance(granule.whole());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double radiance = (100 + static_cast<double>(i)) * double{0.8F} - 25;
    EXPECT_FLOAT_EQ(radiances[i], static_cast<float>(radiance));
    EXPECT_FLOAT_EQ(values[i], static_cast<float>(radiance * double{0.0015F}));
  }
  const auto part = granule.read({.row = 1, .column = 2, .height = 2, .width = 2});
  EXPECT_EQ(part, (std::vector<float>{values[10], values[11], values[18], values[19]}));
}

// Planck's constants of GOES-16's C07: a body of 300 K, through its own radiance.
TEST_F(AbiGranule, GivesBrightnessTemperature) {
  const double fk1 = 202263;
  const auto fk2 = double{3698.19F};
  const double effective = double{0.43361F} + double{0.99939F} * 300;
  const double radiance = fk1 / (std::exp(fk2 / effective) - 1);
  const auto stored = static_cast<std::uint16_t>(std::lround((radiance + 0.0376) / 0.00156));
  const Granule granule(write({.channel = 7,
                               .pixels = std::vector<std::uint16_t>(48, stored),
                               .fill = 16383,
                               .scale = 0.00156F,
                               .offset = -0.0376F}));
  EXPECT_EQ(granule.quantity(), Quantity::brightness_temperature);
  EXPECT_NEAR(granule.read(granule.whole())[0], 300, 0.05);  // half a step of the packing
}

TEST_F(AbiGranule, WhatWasNotMeasuredIsNaN) {
  SmallGranule small;
  small.pixels = std::vector<std::uint16_t>(48, 500);
  small.pixels[1] = small.fill;
  small.pixels[2] = 1023 + 1;  // beyond valid_range
  small.flags = std::vector<std::uint8_t>(48, 0);
  for (std::uint8_t flag = 0; flag <= 4; ++flag) small.flags[3U + flag] = flag;
  small.flags[8] = 255;
  const Granule granule(write(small));
  const auto values = granule.read(granule.whole());
  for (const std::size_t measured : {0U, 3U, 4U, 5U, 9U}) EXPECT_FALSE(std::isnan(values[measured])) << measured;
  for (const std::size_t not_measured : {1U, 2U, 6U, 7U, 8U})
    EXPECT_TRUE(std::isnan(values[not_measured])) << not_measured;
}

// L2 files hold what NOAA computed; there is nothing to calibrate, and no kappa0.
TEST_F(AbiGranule, TakesL2ReflectanceAsItIs) {
  const auto path = folder_ / "OR_ABI-L2-CMIPM1-M6C02_G17_s20193002000275_e20193002000332_c20193002000379.nc";
  write_granule(path, {.channel = 2, .image = "CMI", .scale = 0.00025F, .offset = 0.1F, .without = {"kappa0"}});
  const Granule granule(path);
  EXPECT_EQ(granule.quantity(), Quantity::reflectance);
  EXPECT_FLOAT_EQ(granule.read(granule.whole())[40], 0.1F + 140 * 0.00025F);
  EXPECT_THROW((void)granule.read_radiance(granule.whole()), std::logic_error);
}

// Categories are not packed, and the flags of a fire mask say nothing that they do not.
TEST_F(AbiGranule, TakesFireMasks) {
  const auto path = folder_ / "OR_ABI-L2-FDCC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc";
  SmallGranule small{.image = "Mask", .without = {"Mask:scale_factor", "Mask:add_offset", "band_id"}};
  small.pixels = std::vector<std::uint16_t>(48, 100);
  small.pixels[5] = 10;
  small.pixels[6] = 35;
  small.pixels[7] = small.fill;
  small.flags = std::vector<std::uint8_t>(48, 3);
  write_granule(path, small);
  const Granule granule(path);
  EXPECT_EQ(granule.quantity(), Quantity::fire_mask);
  EXPECT_EQ(granule.read(granule.whole())[0], 100);
  const auto summary = data::abi::summarize(granule);
  EXPECT_EQ(summary.fires, 2);
  EXPECT_EQ(summary.measured, 47);
}

// Where a thermal radiance is not positive, noise was all that there was.
TEST_F(AbiGranule, NothingAtNegativeRadianceHasATemperature) {
  const Granule granule(write({.channel = 13, .scale = 0.8F, .offset = -100}));
  const auto values = granule.read(granule.whole());
  EXPECT_TRUE(std::isnan(values[0]));    // 100 * 0.8 - 100
  EXPECT_FALSE(std::isnan(values[47]));  // 147 * 0.8 - 100
  EXPECT_FLOAT_EQ(granule.read_radiance(granule.whole())[0], -20);
}

TEST_F(AbiGranule, IsSummarizedOverWhatWasMeasured) {
  SmallGranule small;
  small.pixels = std::vector<std::uint16_t>(48, small.fill);
  small.pixels[20] = 100;
  small.pixels[21] = 300;
  const Granule granule(write(small));
  const auto summary = data::abi::summarize(granule);
  EXPECT_EQ(summary.pixels, 48);
  EXPECT_EQ(summary.measured, 2);
  EXPECT_FLOAT_EQ(summary.least, (100 * 0.8F - 25) * 0.0015F);
  EXPECT_FLOAT_EQ(summary.most, (300 * 0.8F - 25) * 0.0015F);
  EXPECT_NEAR(summary.mean, (200 * 0.8 - 25) * 0.0015, 1e-7);
  const auto place = granule.grid().projection.place(
      {granule.grid().x.first + 5 * granule.grid().x.step, granule.grid().y.first + 2 * granule.grid().y.step});
  EXPECT_DOUBLE_EQ(summary.place_of_most.longitude, place.longitude);
  EXPECT_DOUBLE_EQ(summary.place_of_most.latitude, place.latitude);
}

TEST_F(AbiGranule, AllFillHasASummaryToo) {
  const auto summary = data::abi::summarize(Granule(write({.pixels = std::vector<std::uint16_t>(48, 1023)})));
  EXPECT_EQ(summary.measured, 0);
  EXPECT_EQ(summary.most, 0);
}

TEST_F(AbiGranule, SaysWhereItLooks) {
  SmallGranule small;
  const Granule granule(write(small));
  EXPECT_EQ(granule.grid().projection, small.grid.projection);
  EXPECT_EQ(granule.grid().x.count, 8);
  EXPECT_NEAR(granule.grid().x.first, small.grid.x.first, 1e-11);
  EXPECT_NEAR(granule.grid().y.step, small.grid.y.step, 1e-11);
}

// As xarray writes a file again.
TEST_F(AbiGranule, ScanAnglesMayBeFloats) {
  SmallGranule small;
  for (int i = 0; i < 8; ++i) small.x_angles.push_back(0.1F + 28e-6F * static_cast<float>(i));
  const Granule granule(write(small));
  EXPECT_NEAR(granule.grid().x.first, 0.1, 1e-8);
  EXPECT_NEAR(granule.grid().x.step, 28e-6, 1e-9);
}

TEST_F(AbiGranule, ScanAnglesMustBeEvenlySpaced) {
  expect_refused({.x_angles = {0, 1e-5F, 2e-5F, 4e-5F, 5e-5F, 6e-5F, 7e-5F, 8e-5F}}, "x is not 8 evenly spaced");
  expect_refused({.x_angles = {0, 0, 0, 0, 0, 0, 0, 0}}, "x is not 8 evenly spaced");
}

TEST_F(AbiGranule, WhatIsMissingIsNamed) {
  for (const char* variable : {"Rad", "DQF", "x", "y", "goes_imager_projection", "band_id", "kappa0"})
    expect_refused({.without = {variable}}, variable);
  expect_refused({.channel = 7, .without = {"planck_bc2"}}, "planck_bc2");
  for (const char* attribute : {"scale_factor", "add_offset", "_FillValue"})
    expect_refused({.without = {std::string("Rad:") + attribute}}, "Rad", attribute);
  expect_refused({.without = {"x:scale_factor"}}, "x", "scale_factor");
  expect_refused({.without = {"goes_imager_projection:perspective_point_height"}}, "perspective_point_height");
  expect_refused({.without = {"goes_imager_projection:sweep_angle_axis"}}, "sweep_angle_axis");
  expect_refused({.without = {":platform_ID"}}, "platform_ID");
}

TEST_F(AbiGranule, WhatContradictsItsNameIsRefused) {
  expect_refused({.platform = "G16"}, "platform_ID is 'G16'", "name says G17");
  const auto path = folder_ / small_name(2);
  write_granule(path, {.channel = 3});
  expect_input_error([&] { const Granule granule(path); }, "band_id is 3", "name says C02");
}

TEST_F(AbiGranule, OtherProductsAreRefused) {
  const auto path = folder_ / "OR_ABI-L2-ACHAC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc";
  write_granule(path);
  expect_input_error([&] { const Granule granule(path); }, "L2-ACHA is no product that plume reads");
  write_granule(folder_ / "mine.nc");
  expect_input_error([&] { const Granule granule(folder_ / "mine.nc"); }, "mine.nc is no name of an ABI file");
}

TEST_F(AbiGranule, ClaimsBeyondAFullDiskAreRefused) {
  expect_refused({.claimed = 1000000}, "claims 1000000 x 1000000 pixels");
}

TEST_F(AbiGranule, ImpossibleNumbersAreRefused) {
  SmallGranule small;
  small.grid.projection.height = -1;
  expect_refused(small, "goes_imager_projection");
  small = {};
  small.scalars["kappa0"] = -999;
  expect_refused(small, "kappa0 is -999");
  small = {.channel = 7};
  small.scalars["planck_fk1"] = -999;
  expect_refused(small, "planck_fk1");
}

}  // namespace
}  // namespace plume::tests

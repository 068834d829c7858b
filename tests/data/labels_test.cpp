// What a mask's values mean, and which are refused.
#include "data/sources/labels.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "../expect_error.hpp"

namespace plume::tests {
namespace {

using Labels = std::vector<std::uint8_t>;

Labels labels(std::vector<float> values, const data::LabelRule& rule = {}, std::vector<std::uint8_t> valid = {}) {
  data::Raster mask;
  mask.height = 2;
  mask.width = static_cast<int>(values.size()) / 2;
  mask.bands = 1;
  mask.pixels = std::move(values);
  mask.valid = std::move(valid);
  return data::labels_from_mask(mask, rule, "mask.png");
}

TEST(Labels, BinaryTakesOneOr255) {
  EXPECT_EQ(labels({0, 1, 1, 0}), (Labels{0, 1, 1, 0}));
  EXPECT_EQ(labels({0, 255, 0, 0}), (Labels{0, 1, 0, 0}));
  EXPECT_EQ(labels({0, 0, 0, 0}), (Labels{0, 0, 0, 0}));
  expect_input_error([] { labels({0, 1, 255, 0}); }, "mask.png", "both 1 and 255");
}

TEST(Labels, UnexpectedValuesAreNamed) {
  expect_input_error([] { labels({0, 1, 0, 7}); }, "mask.png", "7", "row 1", "column 1", "0 and 255");
  expect_input_error([] { labels({0, 0.5F, 0, 0}); }, "0.5", "row 0", "column 1");
  expect_input_error([] { labels({0, -1, 0, 0}); }, "-1");
  expect_input_error([] { labels({0, 1e9F, 0, 0}); }, "mask.png");
  expect_input_error([] { labels({0, 3, 0, 0}, {.classes = 3}); }, "0 to 2");
}

TEST(Labels, ClassesAndIgnore) {
  EXPECT_EQ(labels({0, 1, 2, 255}, {.classes = 3}), (Labels{0, 1, 2, 255}));
  EXPECT_EQ(labels({0, 255, 9, 0}, {.ignore = 9}), (Labels{0, 1, 255, 0}));
  EXPECT_EQ(labels({0, 1, 255, 0}, {.ignore = 255}), (Labels{0, 1, 255, 0}));
  EXPECT_EQ(labels({5, 16, 27, 0}, {.classes = 4, .mask_values = {0, 5, 16, 27}}), (Labels{1, 2, 3, 0}));
  EXPECT_EQ(labels({10, 20, 99, 10}, {.mask_values = {10, 20}, .ignore = 99}), (Labels{0, 1, 255, 0}));
  EXPECT_EQ(labels({0, 1, 1, 0}, {}, {1, 1, 0, 1}), (Labels{0, 1, 255, 0}));
}

data::Raster with_nodata(std::vector<float> values, float nodata) {
  data::Raster mask;
  mask.height = 1;
  mask.width = static_cast<int>(values.size());
  mask.bands = 1;
  mask.pixels = std::move(values);
  mask.nodata = nodata;
  return mask;
}

TEST(Labels, TheRuleGoesBeforeNodata) {
  const auto read = [](const data::Raster& mask, const data::LabelRule& rule = {}) {
    return data::labels_from_mask(mask, rule, "mask.tif");
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  // gdal_rasterize -a_nodata 0: the background is still the background.
  EXPECT_EQ(read(with_nodata({0, 255, 0}, 0)), (Labels{0, 1, 0}));
  EXPECT_EQ(read(with_nodata({0, 1, 2}, 2), {.classes = 3}), (Labels{0, 1, 2}));
  EXPECT_EQ(read(with_nodata({0, 1, 9}, 9)), (Labels{0, 1, 255}));
  EXPECT_EQ(read(with_nodata({0, 1, -9999}, -9999)), (Labels{0, 1, 255}));
  EXPECT_EQ(read(with_nodata({0, 1, nan}, nan)), (Labels{0, 1, 255}));
  EXPECT_EQ(read(with_nodata({10, 0, 20}, 0), {.mask_values = {10, 20}}), (Labels{0, 255, 1}));
  expect_input_error([&] { read(with_nodata({0, 8, 9}, 9)); }, "mask.tif", "8", "column 1");
  expect_input_error([&] { read(with_nodata({0, nan, 9}, 9)); }, "mask.tif", "nan");
}

TEST(Labels, NodataThatMayBeTheClassIsRefused) {
  const auto read = [](const data::Raster& mask, const data::LabelRule& rule = {}) {
    return data::labels_from_mask(mask, rule, "mask.tif");
  };
  expect_input_error([&] { read(with_nodata({0, 255}, 255)); }, "mask.tif", "255", "nodata", "mask_values");
  expect_input_error([&] { read(with_nodata({0, 1}, 1)); }, "mask.tif", "holds 1", "nodata");
  EXPECT_EQ(read(with_nodata({0, 1}, 255)), (Labels{0, 1}));
  EXPECT_EQ(read(with_nodata({0, 1, 255}, 255), {.ignore = 255}), (Labels{0, 1, 255}));
  EXPECT_EQ(read(with_nodata({0, 1, 255}, 255), {.mask_values = {0, 1}}), (Labels{0, 1, 255}));
  EXPECT_EQ(read(with_nodata({0, 255}, 255), {.mask_values = {0, 255}}), (Labels{0, 1}));
}

TEST(Labels, WrongRulesAndShapes) {
  expect_error(ErrorKind::usage, [] { labels({0, 0}, {.classes = 0}); });
  expect_error(ErrorKind::usage, [] { labels({0, 0}, {.classes = 256}); });
  expect_error(
      ErrorKind::usage,
      [] {
        labels({0, 0}, {.mask_values = {0, 1, 2}});
      },
      "3 mask values");
  expect_error(
      ErrorKind::usage,
      [] {
        labels({0, 0}, {.mask_values = {4, 4}});
      },
      "two labels");
  expect_error(ErrorKind::usage, [] { labels({0, 0}, {.mask_values = {0, -4}}); });
  data::Raster rgb;
  rgb.bands = 3;
  expect_input_error([&] { (void)data::labels_from_mask(rgb, {}, "rgb.png"); }, "rgb.png", "3 bands");
}

}  // namespace
}  // namespace plume::tests

// Resampling on fixed grids that nest as ABI's do, where every weight is known, and from degrees.
#include "data/geo/resample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace plume::tests {
namespace {

using data::geo::FixedGrid;
using data::geo::Plane;
using data::geo::Resampling;
using data::geo::ScanMap;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

// A square image of `count` pixels from one north-western corner, of 14, 28 or 56 microradians.
FixedGrid square(int count, double step) {
  return {.projection = {.longitude_of_origin = -137},
          .x = {.first = 0.02464 + step / 2, .step = step, .count = count},
          .y = {.first = 0.11536 - step / 2, .step = -step, .count = count}};
}

// Without GDAL's projection: nothing here is written to a file.
data::geo::Grid bare_grid(const FixedGrid& image) {
  return {.height = image.y.count,
          .width = image.x.count,
          .coordinates = data::geo::Coordinates::scan_angles,
          .georeference = {"", image.transform()}};
}

Plane whole(const FixedGrid& image, float (*value)(int row, int column)) {
  Plane plane{.window = {0, 0, static_cast<std::size_t>(image.y.count), static_cast<std::size_t>(image.x.count)},
              .values = {}};
  for (int row = 0; row < image.y.count; ++row) {
    for (int column = 0; column < image.x.count; ++column) plane.values.push_back(value(row, column));
  }
  return plane;
}

float ramp(int row, int column) {
  return static_cast<float>(10 * row + column);
}

std::vector<float> sampled(const FixedGrid& from, const Plane& plane, const FixedGrid& to, Resampling resampling) {
  const ScanMap map(bare_grid(to), from.projection);
  std::vector<float> values(static_cast<std::size_t>(to.y.count) * static_cast<std::size_t>(to.x.count));
  map.sample(from, plane, resampling, values.data());
  return values;
}

TEST(Resample, OnItsOwnGridAnImageStaysAsItIs) {
  const FixedGrid image = square(8, 28e-6);
  const Plane plane = whole(image, ramp);
  for (const auto resampling : {Resampling::nearest, Resampling::bilinear, Resampling::mean}) {
    const auto values = sampled(image, plane, image, resampling);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], plane.values[i], 1e-5) << i;
  }
}

// Of 500 m and 1 km: four pixels make one.
TEST(Resample, ShrinkingTakesTheMean) {
  const FixedGrid fine = square(8, 14e-6);
  const FixedGrid coarse = square(4, 28e-6);
  const auto values = sampled(fine, whole(fine, ramp), coarse, Resampling::mean);
  for (int row = 0; row < 4; ++row) {
    for (int column = 0; column < 4; ++column)
      EXPECT_NEAR(values[static_cast<std::size_t>(4 * row + column)], 20 * row + 5 + 2 * column + 0.5, 1e-4);
  }
}

// A plane is what bilinear interpolation gives back exactly; at the border there is but one side.
TEST(Resample, GrowingInterpolates) {
  const FixedGrid coarse = square(4, 56e-6);
  const FixedGrid fine = square(8, 28e-6);
  const Plane plane = whole(coarse, ramp);
  for (const auto resampling : {Resampling::bilinear, Resampling::mean}) {
    const auto values = sampled(coarse, plane, fine, resampling);
    for (int row = 1; row < 7; ++row) {
      for (int column = 1; column < 7; ++column)
        EXPECT_NEAR(values[static_cast<std::size_t>(8 * row + column)], 10 * (row / 2.0 - 0.25) + column / 2.0 - 0.25,
                    1e-4);
    }
    EXPECT_NEAR(values[0], 0, 1e-4);
  }
  const auto nearest = sampled(coarse, plane, fine, Resampling::nearest);
  EXPECT_EQ(nearest[8 * 3 + 5], ramp(1, 2));
}

TEST(Resample, WhatWasNotMeasuredCountsForNothing) {
  const FixedGrid fine = square(4, 14e-6);
  const FixedGrid coarse = square(2, 28e-6);
  Plane plane = whole(fine, ramp);
  plane.values[0] = nan;                                                          // one of four
  plane.values[2] = plane.values[3] = plane.values[6] = nan;                      // three of four
  plane.values[8] = plane.values[9] = plane.values[12] = plane.values[13] = nan;  // four of four
  const auto values = sampled(fine, plane, coarse, Resampling::mean);
  EXPECT_NEAR(values[0], (1 + 10 + 11) / 3.0, 1e-4);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_TRUE(std::isnan(values[2]));
  EXPECT_NEAR(values[3], (22 + 23 + 32 + 33) / 4.0, 1e-4);
}

TEST(Resample, APartGivesWhatTheWholeDoes) {
  const FixedGrid image = square(40, 28e-6);
  const Plane plane = whole(image, ramp);
  FixedGrid target = square(5, 43e-6);
  target.x.first += 300e-6;
  target.y.first -= 400e-6;
  const ScanMap map(bare_grid(target), image.projection);
  for (const auto resampling : {Resampling::nearest, Resampling::bilinear, Resampling::mean}) {
    const auto window = map.window(image);
    EXPECT_LT(window.pixels(), 200U);
    Plane part{window, {}};
    for (std::size_t row = 0; row < window.height; ++row) {
      const auto from = plane.values.begin() + static_cast<std::ptrdiff_t>((window.row + row) * 40 + window.column);
      part.values.insert(part.values.end(), from, from + static_cast<std::ptrdiff_t>(window.width));
    }
    std::vector<float> values(25);
    map.sample(image, part, resampling, values.data());
    EXPECT_EQ(values, sampled(image, plane, target, resampling));
    EXPECT_EQ(std::count_if(values.begin(), values.end(), [](float v) { return std::isnan(v); }), 0);
  }
}

TEST(Resample, BesideAnImageThereIsNothing) {
  const FixedGrid image = square(8, 28e-6);
  FixedGrid beside = image;
  beside.x.first += 1;
  const ScanMap map(bare_grid(beside), image.projection);
  EXPECT_EQ(map.window(image).pixels(), 0U);
  for (const auto resampling : {Resampling::nearest, Resampling::mean}) {
    for (const float value : sampled(image, whole(image, ramp), beside, resampling)) EXPECT_TRUE(std::isnan(value));
  }
}

// Each pixel of a grid in degrees shows what lies at its place.
TEST(Resample, FromDegreesFindsThePlace) {
  const FixedGrid image = square(400, 28e-6);
  const ScanMap map({.height = 16,
                     .width = 16,
                     .coordinates = data::geo::Coordinates::geographic,
                     .georeference = {"", {-124, 0.01, 0, 40, 0, -0.01}}},
                    image.projection);
  const Plane columns = whole(image, [](int, int column) { return static_cast<float>(column); });
  const Plane rows = whole(image, [](int row, int) { return static_cast<float>(row); });
  std::vector<float> column(256);
  std::vector<float> row(256);
  map.sample(image, columns, Resampling::bilinear, column.data());
  map.sample(image, rows, Resampling::bilinear, row.data());
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 16; ++j) {
      const auto at = static_cast<std::size_t>(16 * i + j);
      const auto place = image.projection.place(
          {image.x.first + image.x.step * double{column[at]}, image.y.first + image.y.step * double{row[at]}});
      EXPECT_NEAR(place.longitude, -124 + 0.01 * (j + 0.5), 1e-5);
      EXPECT_NEAR(place.latitude, 40 - 0.01 * (i + 0.5), 1e-5);
    }
  }
}

TEST(Resample, BehindTheHorizonThereIsNothing) {
  const FixedGrid image = square(8, 28e-6);
  const ScanMap map({.height = 2,
                     .width = 2,
                     .coordinates = data::geo::Coordinates::geographic,
                     .georeference = {"", {40, 1, 0, 10, 0, -1}}},
                    image.projection);
  std::vector<float> values(8, 0);
  map.sample(image, whole(image, ramp), Resampling::mean, values.data(), 2);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(std::isnan(values[i]), i % 2 == 0) << i;
}

}  // namespace
}  // namespace plume::tests

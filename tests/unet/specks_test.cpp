// Specks are what a flood fill finds, however the image is cut into strips.
#include "unet/inference/specks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "../random_values.hpp"

namespace plume::unet {
namespace {

using Labels = std::vector<std::uint8_t>;

constexpr int height = 90;
constexpr int width = 47;

// Noise of 3 labels, more or less dense, in stripes that leave larger regions.
Labels random_labels(double share, std::uint64_t seed) {
  Labels labels;
  const auto noise = tests::random_values(std::size_t{height} * width, seed);
  for (int p = 0; p < height * width; ++p) {
    const double wave = 0.3 * std::sin(0.2 * (p % width)) * std::cos(0.15 * (p / width));
    labels.push_back(
        noise[static_cast<std::size_t>(p)] + wave > 1 - 2 * share ? static_cast<std::uint8_t>(1 + p % width / 17) : 0);
  }
  return labels;
}

// Regions of fewer pixels become 0.
Labels without_specks(Labels labels, std::int64_t least_area) {
  std::vector<bool> seen(labels.size());
  for (int start = 0; start < height * width; ++start) {
    if (labels[static_cast<std::size_t>(start)] == 0 || seen[static_cast<std::size_t>(start)]) continue;
    std::vector<int> region{start};
    seen[static_cast<std::size_t>(start)] = true;
    for (std::size_t i = 0; i < region.size(); ++i) {
      const int p = region[i];
      const auto take = [&](bool there, int q) {
        if (!there || seen[static_cast<std::size_t>(q)] ||
            labels[static_cast<std::size_t>(q)] != labels[static_cast<std::size_t>(p)])
          return;
        seen[static_cast<std::size_t>(q)] = true;
        region.push_back(q);
      };
      take(p % width > 0, p - 1);
      take(p % width < width - 1, p + 1);
      take(p >= width, p - width);
      take(p < (height - 1) * width, p + width);
    }
    if (std::ssize(region) >= least_area) continue;
    for (const int p : region) labels[static_cast<std::size_t>(p)] = 0;
  }
  return labels;
}

struct Filtered {
  Labels labels;
  std::size_t most_held = 0;  // strips
};

Filtered filtered(const Labels& labels, std::int64_t least_area, int strip_rows) {
  SpeckFilter filter(least_area);
  Filtered result;
  std::size_t given = 0;
  std::size_t taken = 0;
  const TakeStrip take = [&](const Strip& strip) {
    result.labels.insert(result.labels.end(), strip.found.labels.begin(), strip.found.labels.end());
    ++taken;
  };
  for (int row = 0; row < height; row += strip_rows) {
    const int end = std::min(height, row + strip_rows);
    Strip strip;
    strip.found.height = end - row;
    strip.found.width = width;
    strip.found.labels.assign(labels.begin() + row * width, labels.begin() + end * width);
    ++given;
    filter.add(std::move(strip), take);
    result.most_held = std::max(result.most_held, given - taken);
  }
  filter.finish(take);
  EXPECT_EQ(given, taken);
  return result;
}

TEST(Specks, AreTheSmallRegionsInAnyStrips) {
  std::uint64_t seed = 1;
  for (const double share : {0.2, 0.45, 0.6}) {
    const Labels labels = random_labels(share, ++seed);
    for (const std::int64_t least_area : {0, 1, 2, 7, 60, 100000}) {
      const Labels expected = without_specks(labels, least_area);
      for (const int rows : {1, 4, 13, height}) {
        SCOPED_TRACE(testing::Message() << share << ", " << least_area << " pixels, strips of " << rows);
        EXPECT_EQ(filtered(labels, least_area, rows).labels, expected);
      }
    }
  }
}

// A large region that goes through all strips holds none of them back.
TEST(Specks, StripsAreHeldForSmallRegionsAlone) {
  Labels labels(std::size_t{height} * width, 1);
  EXPECT_EQ(filtered(labels, 20, 5).most_held, 0U);
  for (int row = 40; row < 50; ++row) {  // a line of ten pixels through three strips, apart from the rest
    for (const int column : {9, 11}) labels[static_cast<std::size_t>(row * width + column)] = 0;
  }
  for (const int row : {39, 50}) labels[static_cast<std::size_t>(row * width + 10)] = 0;
  const Filtered line = filtered(labels, 20, 5);
  EXPECT_EQ(line.most_held, 2U);
  EXPECT_EQ(line.labels, without_specks(labels, 20));
  EXPECT_NE(line.labels, labels);
}

}  // namespace
}  // namespace plume::unet

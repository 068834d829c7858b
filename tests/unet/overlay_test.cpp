// The picture for people: colours where they belong, outlines, and fill pixels that do not wash it out.
#include "unet/inference/overlay.hpp"

#include <gtest/gtest.h>

#include <array>

namespace plume::unet {
namespace {

using Rgb = std::array<int, 3>;

// 16 x 16, dark on the left and bright on the right; C01, C02 and C03 alike, so the scene is grey.
data::Raster ramp() {
  data::Raster image;
  image.height = 16;
  image.width = 16;
  image.bands = 3;
  for (int p = 0; p < 256; ++p) image.pixels.insert(image.pixels.end(), 3, static_cast<float>(p % 16) * 10 + 20);
  return image;
}

Rgb at(const std::vector<std::uint8_t>& picture, int row, int column) {
  const auto first = static_cast<std::size_t>(row * 16 + column) * 3;
  return {picture[first], picture[first + 1], picture[first + 2]};
}

TEST(OverlayTest, ASceneWithoutSmokeIsGreyAndStretched) {
  const std::vector<std::uint8_t> classes(256, 0);
  const std::vector<float> probability(256, 0.0F);
  const auto picture = draw_overlay(ramp(), classes, probability);
  EXPECT_EQ(at(picture, 3, 0), (Rgb{0, 0, 0}));
  EXPECT_EQ(at(picture, 3, 15), (Rgb{255, 255, 255}));
  const Rgb middle = at(picture, 3, 8);
  EXPECT_EQ(middle[0], middle[2]);
  EXPECT_GT(middle[0], 100);
  EXPECT_LT(middle[0], 160);
}

TEST(OverlayTest, SmokeIsTintedByItsProbabilityAndOutlined) {
  std::vector<std::uint8_t> classes(256, 0);
  std::vector<float> probability(256, 0.0F);
  for (int row = 4; row < 12; ++row) {
    for (int column = 4; column < 12; ++column) {
      classes[static_cast<std::size_t>(row * 16 + column)] = 1;
      probability[static_cast<std::size_t>(row * 16 + column)] = row < 8 ? 0.9F : 0.6F;
    }
  }
  const auto picture = draw_overlay(ramp(), classes, probability);
  EXPECT_EQ(at(picture, 4, 4), at(picture, 4, 11));  // the outline is plain colour whatever lies below
  const auto redness = [&](int row, int column) { return at(picture, row, column)[0] - at(picture, row, column)[2]; };
  EXPECT_GT(redness(6, 7), redness(9, 7));  // surer smoke is redder
  EXPECT_GT(redness(9, 7), 20);
  EXPECT_EQ(redness(2, 2), 0);
}

// C03 bright and the rest dark: green alone, and little of it, wherever C03 stands among the bands.
TEST(OverlayTest, ColoursAreFoundByTheirChannels) {
  data::Raster image = ramp();
  for (std::size_t p = 0; p < 256; ++p) image.pixels[3 * p] = 255;
  const std::vector<std::uint8_t> classes(256, 0);
  const std::vector<float> probability(256, 0.0F);
  const auto color = at(draw_overlay(image, classes, probability, std::vector{2, 1, 0}), 3, 3);
  EXPECT_GT(color[1], color[0]);
  EXPECT_EQ(color[0], color[2]);
}

TEST(OverlayTest, WithoutAllThreeChannelsTheFirstBandIsGrey) {
  data::Raster image = ramp();
  for (std::size_t p = 0; p < 256; ++p) image.pixels[3 * p + 1] = 255;
  const std::vector<std::uint8_t> classes(256, 0);
  const std::vector<float> probability(256, 0.0F);
  const auto picture = draw_overlay(image, classes, probability, std::vector{0, 2, 4});
  for (const int column : {0, 5, 15}) {
    const Rgb color = at(picture, 3, column);
    EXPECT_EQ(color[0], color[1]);
    EXPECT_EQ(color[0], color[2]);
  }
  EXPECT_EQ(at(picture, 3, 0), (Rgb{0, 0, 0}));
}

TEST(OverlayTest, FillDoesNotStretchTheScene) {
  data::Raster image = ramp();
  image.valid.assign(256, 1);
  for (std::size_t p = 0; p < 128; ++p) {
    image.valid[p] = 0;
    for (std::size_t band = 0; band < 3; ++band) image.pixels[p * 3 + band] = 0;
  }
  const std::vector<std::uint8_t> classes(256, 0);
  const std::vector<float> probability(256, 0.0F);
  EXPECT_EQ(at(draw_overlay(image, classes, probability), 12, 0), (Rgb{0, 0, 0}));
}

}  // namespace
}  // namespace plume::unet

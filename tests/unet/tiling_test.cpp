// Tiles without a seam: where they lie, and large images that are the same in one piece and in many.
#include "unet/inference/tiling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "../real_data.hpp"
#include "data/images/image_read.hpp"
#include "small_networks.hpp"
#include "trained_network.hpp"
#include "unet/import_keras.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/predict.hpp"
#include "unet/inference/reach.hpp"

namespace plume::unet {
namespace {

using tests::trained_network;

class TilingTest : public testing::TestWithParam<tests::SmallNetwork> {};
INSTANTIATE_TEST_SUITE_P(Families, TilingTest, testing::ValuesIn(tests::small_networks),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

// Tiles are aligned, no larger than allowed, and keep every pixel once, with the reach around it inside of the tile.
TEST(CutAxis, KeepsEveryPixelWithItsSurroundings) {
  for (const int multiple : {1, 2, 16}) {
    for (const auto& [before, after] : {std::pair{0, 0}, {5, 3}, {44, 61}}) {
      const int least = least_tile(before, after, multiple);
      for (const int largest : {least, least + 3 * multiple + multiple / 2, 4 * least}) {
        for (int extent = multiple; extent < 9 * least; extent += multiple * (1 + extent / (7 * multiple))) {
          SCOPED_TRACE(testing::Message() << extent << " by " << largest << ", " << before << " and " << after);
          const TileAxis axis = cut_axis(extent, before, after, multiple, largest);
          EXPECT_LE(axis.size, largest);
          EXPECT_EQ(axis.size % multiple, 0);
          int kept = 0;
          for (const TileSpan& span : axis.spans) {
            EXPECT_EQ(span.first % multiple, 0);
            EXPECT_GE(span.first, 0);
            EXPECT_LE(span.first + axis.size, extent);
            EXPECT_EQ(span.kept_first, kept);
            EXPECT_LT(span.kept_first, span.kept_last);
            EXPECT_TRUE(span.first == 0 || span.kept_first - before >= span.first);
            EXPECT_TRUE(span.first + axis.size == extent || span.kept_last + after <= span.first + axis.size);
            kept = span.kept_last;
          }
          EXPECT_EQ(kept, extent);
        }
      }
    }
  }
}

TEST(CutAxis, SaysTheLeastSize) {
  EXPECT_EQ(least_tile(5, 3, 4), 16);
  tests::expect_error(
      ErrorKind::usage, [] { static_cast<void>(cut_axis(100, 5, 3, 4, 15)); }, "15", "5 pixels", "16");
  EXPECT_EQ(cut_axis(12, 5, 3, 4, 15).spans.size(), 1U);
}

std::vector<float> image_of(int height, int width, int bands, std::uint64_t seed) {
  const auto values = tests::random_values(
      static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(bands), seed);
  return {values.begin(), values.end()};
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  float largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) largest = std::max(largest, std::abs(found[i] - expected[i]));
  EXPECT_LE(largest, 1e-5);
  const auto [least, most] = std::minmax_element(expected.begin(), expected.end());
  EXPECT_GT(*most - *least, 1e-3);  // not a network that says the same everywhere
}

TEST_P(TilingTest, TilesAreTheWholeImage) {
  const Graph graph = build_graph(GetParam().settings);
  const Network network = trained_network(graph);
  const Margins reach = reach_of(graph);
  const int least =
      least_tile(std::max(reach.top, reach.left), std::max(reach.bottom, reach.right), size_multiple(graph));
  for (const auto& [height, width] : {std::pair{3 * least + 5, 2 * least + 1}, {least - 3, 4 * least}, {301, 7}}) {
    const auto image = image_of(2 * height, width, 3, 3);
    Predictor predictor(network, 2);
    const auto whole = predictor.probabilities(image.data(), 2, height, width);
    for (const int edge : {least, least + 13, 2 * least}) {
      SCOPED_TRACE(testing::Message() << height << "x" << width << " by " << edge);
      predictor.set_tiles({.edge = edge});
      expect_near(predictor.probabilities(image.data(), 2, height, width), whole);
    }
  }
}

// The margins are what makes it so: with tiles that know less, the same comparison shows the seams.
TEST(TilingSeams, AreSeenWithoutMargins) {
  const Network network = trained_network(build_graph(tests::small_networks[0].settings));
  Predictor predictor(network, 2);
  const auto image = image_of(64, 64, 3, 3);
  const auto whole = predictor.probabilities(image.data(), 1, 64, 64);
  const auto upper_half = predictor.probabilities(image.data(), 1, 32, 64);
  float largest = 0;
  for (std::size_t i = 0; i < upper_half.size(); ++i) largest = std::max(largest, std::abs(upper_half[i] - whole[i]));
  EXPECT_GT(largest, 1e-3);
}

TEST(TilingMemory, BoundsActivationsByItself) {
  const Network network = fold_norms(trained_network(build_graph({Family::classic, 2, 1, 4, 2, Up::transposed, 32})));
  Predictor predictor(network, 2);
  const auto image = image_of(403, 610, 2, 4);
  const auto whole = predictor.probabilities(image.data(), 1, 403, 610);
  Predictor bounded(network, 2);
  constexpr std::size_t bytes = std::size_t{2} << 20;
  bounded.set_tiles({.bytes = bytes});
  expect_near(bounded.probabilities(image.data(), 1, 403, 610), whole);
  EXPECT_GT(predictor.largest_step(), 4 * bytes);
  EXPECT_LE(bounded.largest_step(), bytes + bytes / 4);
}

// Four tiles beside each other, upper left in the image and to the right and below it in turn.
data::Raster mosaic(const std::array<data::Raster, 4>& tiles) {
  data::Raster image = tiles[0];
  image.height = tiles[0].height + tiles[2].height;
  image.width = tiles[0].width + tiles[1].width;
  image.pixels.clear();
  for (int y = 0; y < image.height; ++y) {
    const bool lower = y >= tiles[0].height;
    for (const data::Raster* tile : {&tiles[lower ? 2 : 0], &tiles[lower ? 3 : 1]}) {
      const auto row = static_cast<std::ptrdiff_t>(tile->width) * tile->bands;
      const auto first = tile->pixels.begin() + row * (lower ? y - tiles[0].height : y);
      image.pixels.insert(image.pixels.end(), first, first + row);
    }
  }
  return image;
}

TEST(TilingNasa, ItsModelsSeeNoSeam) {
  const auto models = tests::real_data() / "pixel_detector";
  const auto tiles = tests::real_data() / "goes16_tiles" / "original_float32";
  if (!std::filesystem::exists(models)) GTEST_SKIP() << "no NASA models at " << models;
  const auto read = [&](const char* tile) {
    return data::read_image(tiles / (std::string("OR_ABI-L1b-RadF-M6_G16_s20212642250204_") + tile + ".tif"),
                            {0, 1, 2, 3, 4, 5});
  };
  const data::Raster image = mosaic({read("48_19"), read("48_20"), read("49_20"), read("49_21")});
  const int height = image.height - 3;
  for (const auto& [model, edge] : {std::pair{"smoke_wmts_ref", 112}, {"smoke_wmts_ref_3layer", 350}}) {
    SCOPED_TRACE(model);
    const KerasModel keras = read_keras_h5(models / (std::string(model) + ".h5"));
    Network network(keras.graph);
    load_parameters(network, keras.parameters);
    Predictor predictor(network);
    const auto whole = predictor.probabilities(image.pixels.data(), 1, height, image.width);
    predictor.set_tiles({.edge = edge});
    expect_near(predictor.probabilities(image.pixels.data(), 1, height, image.width), whole);
    EXPECT_LT(edge, image.width);
  }
}

}  // namespace
}  // namespace plume::unet

// Tiles without a seam: how far a network looks, measured; where tiles lie; and large images that are the same in one
// piece and in many.
#include "unet/inference/tiling.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <vector>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "../real_data.hpp"
#include "data/images/image_read.hpp"
#include "trained_network.hpp"
#include "unet/families.hpp"
#include "unet/import_keras.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {
namespace {

using tests::trained_network;

// A small network of each family.
struct Case {
  const char* name;
  ModelSettings settings;
};

std::ostream& operator<<(std::ostream& stream, const Case& which) {
  return stream << which.name;
}

const std::vector<Case> cases{{"transposed", {Family::classic, 3, 1, 4, 2, Up::transposed, 32}},
                              {"bilinear", {Family::classic, 3, 1, 4, 2, Up::bilinear, 32}},
                              {"deep", {Family::classic, 3, 1, 4, 3, Up::bilinear, 32}},
                              {"classes", {Family::classic, 3, 3, 4, 1, Up::transposed, 32}},
                              {"pixel_detector", {Family::pixel_detector, 3, 1, 6, 2, Up::transposed, 8}}};

class TilingTest : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Families, TilingTest, testing::ValuesIn(cases),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

// In f64, with every weight positive and every shift 0, so that a pixel that grows makes all that depend on it grow.
class SummingNetwork {
 public:
  explicit SummingNetwork(const Graph& graph) : network_(graph, DType::f64) {
    copy_parameters(network_, trained_network(graph));
    for (const nn::ParameterInfo& info : network_.parameters().all()) {
      nn::NamedTensor tensor = network_.parameters().to_named(info);
      const bool shift = info.name.ends_with(".bias") || info.name.ends_with(".running_mean");
      for (float& value : tensor.values) value = shift ? 0 : 0.1F + std::abs(value) / 4;
      network_.parameters().from_named(info, tensor);
    }
  }

  // Logits [height, width, classes] of an image of ones, but one pixel of its one band.
  std::vector<double> run(int height, int width, std::size_t raised, double value) {
    const nn::Context context{stream_, arena_};
    const nn::Tensor x = context.allocate({1, height, width, 1}, DType::f64, "x");
    std::fill_n(x.data<double>(), height * width, 1.0);
    x.data<double>()[raised] = value;
    const nn::Tensor y = network_(context, x);
    return {y.data<double>(), y.data<double>() + y.shape().count()};
  }

 private:
  Network network_;
  kernels::Stream stream_{kernels::CpuStream(1, kernels::ConvPolicy::direct)};  // Winograd rounds what it does not read
  nn::Arena arena_;
};

// Along one axis, how far before and behind itself an output pixel is moved by an input pixel, whatever their phases.
std::pair<int, int> measured_reach(const Graph& graph, bool along_rows, int length) {
  const int multiple = size_multiple(graph);
  SummingNetwork network(graph);
  const int height = along_rows ? length : multiple;
  const int width = along_rows ? multiple : length;
  const auto still = network.run(height, width, 0, 1);
  std::pair<int, int> reach{0, 0};
  for (int place = length / 2; place < length / 2 + multiple; ++place) {
    const auto moved = network.run(height, width, static_cast<std::size_t>(along_rows ? place * width : place), 1e6);
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (moved[i] == still[i]) continue;
      const int pixel = static_cast<int>(i) / graph.classes;
      const int distance = (along_rows ? pixel / width : pixel % width) - place;
      reach = {std::max(reach.first, distance), std::max(reach.second, -distance)};
    }
  }
  return reach;
}

TEST_P(TilingTest, ReachIsHowFarTheNetworkLooks) {
  ModelSettings settings = GetParam().settings;
  settings.bands = 1;
  const Graph graph = build_graph(settings);
  const Reach reach = reach_of(graph);
  const int multiple = size_multiple(graph);
  const int furthest = std::max({reach.top, reach.left, reach.bottom, reach.right});
  const int length = 2 * (furthest / multiple + 2) * multiple;
  const auto rows = measured_reach(graph, true, length);
  const auto columns = measured_reach(graph, false, length);
  EXPECT_EQ(rows.first, reach.top);
  EXPECT_EQ(rows.second, reach.bottom);
  EXPECT_EQ(columns.first, reach.left);
  EXPECT_EQ(columns.second, reach.right);
}

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
  const Reach reach = reach_of(graph);
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
  const Network network = trained_network(build_graph(cases[0].settings));
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

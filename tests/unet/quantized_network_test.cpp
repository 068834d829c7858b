// A network in 8 bits says what it says in f32, whatever its layers; where 8 bits would not do, it does not use them.
#include "unet/inference/quantized_network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "conv_layer.hpp"
#include "data/formats/raster_read.hpp"
#include "nn/safetensors.hpp"
#include "trained_network.hpp"
#include "unet/calibrate.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/import_keras.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {
namespace {

using tests::trained_network;

constexpr int images = 2;
constexpr int height = 16;
constexpr int width = 24;

std::vector<float> noise(const Graph& graph, std::uint64_t seed) {
  const auto count = static_cast<std::size_t>(images * height * width * graph.input.bands);
  const auto values = tests::random_values(count, seed, -2, 2);
  return {values.begin(), values.end()};
}

// The parameters of a network on a stream of the CPU, which calibration needs.
Network on_stream(const Network& network, kernels::Stream& stream) {
  Network copy(network.graph(), DType::f32, Fusion::on, &stream);
  copy_parameters(copy, network);
  return copy;
}

Ranges ranges_of(const Network& network) {
  Calibration calibration(network);
  for (const std::uint64_t seed : {5, 6}) {
    calibration.add(noise(network.graph(), seed).data(), {images, height, width, network.graph().input.bands});
  }
  return calibration.ranges();
}

// The root of the mean square difference, as a share of what f32's probabilities vary by.
double relative_error(const Network& network, const Ranges& ranges) {
  const auto pixels = noise(network.graph(), 5);
  const auto expected = Predictor(network).probabilities_of_normalized(pixels.data(), images, height, width);
  const auto ours = Predictor(network, ranges).probabilities_of_normalized(pixels.data(), images, height, width);
  EXPECT_EQ(ours.size(), expected.size());
  const double mean = std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(expected.size());
  double variance = 0;
  double error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    variance += std::pow(static_cast<double>(expected[i]) - mean, 2);
    error += std::pow(static_cast<double>(ours[i] - expected[i]), 2);
  }
  EXPECT_GT(error, 0);  // or else it did not run in 8 bits
  return std::sqrt(error / variance);
}

std::ptrdiff_t steps_in_f32(const Network& network, const Ranges& ranges) {
  kernels::CpuStream stream(1);
  const QuantizedPlan plan = make_quantized_plan(network, ranges, stream);
  return std::count_if(plan.steps.begin(), plan.steps.end(), [](const auto& step) { return !step.has_value(); });
}

class QuantizedNetworkTest : public testing::Test {
 protected:
  Network folded(const Graph& graph) { return fold_norms(on_stream(trained_network(graph), stream_)); }
  kernels::Stream stream_{kernels::CpuStream(2)};
};

TEST_F(QuantizedNetworkTest, FollowsBothFamilies) {
  for (const Family family : {Family::classic, Family::pixel_detector}) {
    for (const Up up : {Up::transposed, Up::bilinear}) {
      const Network network = folded(build_graph({family, 3, 1, 8, 2, up, 12}));
      const Ranges ranges = ranges_of(network);
      EXPECT_LT(relative_error(network, ranges), 0.06) << static_cast<int>(family) << static_cast<int>(up);
      EXPECT_EQ(steps_in_f32(network, ranges), 1);  // what reads the image
    }
  }
}

TEST_F(QuantizedNetworkTest, ManyClasses) {
  const Network network = folded(build_graph({Family::classic, 3, 5, 8, 2}));
  EXPECT_LT(relative_error(network, ranges_of(network)), 0.06);
}

// Everything that the families do not have: a normalisation by itself, signed values, additions, nearest neighbours, five
// parts in a concatenation, a concatenation with the image, a ReLU with two readers, logits by an upsampling.
TEST_F(QuantizedNetworkTest, ServesEveryLayer) {
  Graph graph;
  graph.input.bands = 3;
  const auto add = [&](const std::string& name, LayerKind kind, std::vector<std::string> inputs) {
    graph.layers.push_back({.name = name, .kind = kind, .inputs = std::move(inputs)});
  };
  graph.layers.push_back(tests::conv_layer("first", "input", 8));
  add("first.norm", LayerKind::batch_norm, {"first"});
  graph.layers.push_back(tests::conv_layer("second", "first.norm", 8));
  add("second.relu", LayerKind::relu, {"second"});
  add("sum", LayerKind::add, {"first.norm", "second", "second.relu"});
  add("sum.norm", LayerKind::batch_norm, {"sum"});
  add("sum.relu", LayerKind::relu, {"sum.norm"});
  add("five", LayerKind::concat, {"first", "second", "second.relu", "sum", "sum.relu"});
  graph.layers.push_back(tests::conv_layer("third", "five", 8));
  add("pool", LayerKind::max_pool, {"third"});
  add("nearest", LayerKind::upsample_nearest, {"pool"});
  add("with_image", LayerKind::concat, {"nearest", "input"});
  graph.layers.push_back(tests::conv_layer("fourth", "with_image", 6));
  add("fourth.pool", LayerKind::max_pool, {"fourth"});
  graph.layers.push_back(tests::conv_layer("fifth", "fourth.pool", 1));
  add("last", LayerKind::upsample_bilinear, {"fifth"});
  const Network network = folded(graph);
  EXPECT_LT(relative_error(network, ranges_of(network)), 0.1);  // few channels, and values of both signs
}

// A channel that is nearly always small but once in a while very large would leave the other channels' weights no steps.
TEST_F(QuantizedNetworkTest, KeepsWhatWouldBeSpoiltInF32) {
  const Network network = folded(build_graph({Family::classic, 3, 1, 8, 2}));
  Ranges ranges = ranges_of(network);
  Range& rare = ranges.at("enc0.relu2").front();
  rare.high *= 1000;
  EXPECT_EQ(steps_in_f32(network, ranges), 3);  // its two readers too
}

// Against 8-bit sums of many random inputs, one channel of which has a far wider range than it uses.
TEST(WeightNoise, IsWhatRoundingTheWeightsAdds) {
  constexpr int in = 12;
  constexpr int out = 5;
  constexpr int pixels = 4000;
  const auto random = tests::random_values(std::size_t{in} * out, 1);
  const std::vector<float> weight(random.begin(), random.end());
  const kernels::ConvParameters conv{weight.data(), nullptr, {1, 1, {}}, false, false, out};
  QuantizedChannels input;
  for (int i = 0; i < in; ++i) {
    input.quantization.push_back({i == 3 ? 0.05F : 0.002F, 0});
    input.rms.push_back(0.002F * 20);
  }
  const auto values = tests::random_values(std::size_t{in} * pixels, 2, -20 * std::sqrt(3.0), 20 * std::sqrt(3.0));
  double output = 0;
  double noise = 0;
  for (int o = 0; o < out; ++o) {
    double largest = 0;
    const auto scaled = [&](int i) {
      return static_cast<double>(weight[static_cast<std::size_t>(i * out + o)]) *
             static_cast<double>(input.quantization[static_cast<std::size_t>(i)].scale);
    };
    for (int i = 0; i < in; ++i) largest = std::max(largest, std::abs(scaled(i)));
    for (int p = 0; p < pixels; ++p) {
      double exact = 0;
      double rounded = 0;
      for (int i = 0; i < in; ++i) {
        const double q = values[static_cast<std::size_t>(p * in + i)] * (i == 3 ? 0.002 / 0.05 : 1);
        exact += scaled(i) * q;
        rounded += std::round(scaled(i) / (largest / 127)) * (largest / 127) * q;
      }
      output += exact * exact;
      noise += (rounded - exact) * (rounded - exact);
    }
  }
  const double measured = std::sqrt(noise / output);
  EXPECT_GT(measured, 0.02);
  EXPECT_NEAR(weight_noise(conv, input), measured, 0.25 * measured);  // few weights, hence rounded at random
}

TEST_F(QuantizedNetworkTest, ThreadsChangeNoBit) {
  const Network network = folded(build_graph({Family::pixel_detector, 3, 1, 8, 2, Up::transposed, 12}));
  const Ranges ranges = ranges_of(network);
  const auto pixels = noise(network.graph(), 5);
  std::vector<float> expected;
  for (const int threads : {1, 2, 3}) {
    kernels::Stream stream{kernels::CpuStream(threads)};
    const Network copy = on_stream(network, stream);
    Predictor predictor(copy, ranges);
    for (int run = 0; run < 2; ++run) {  // the second in planned memory
      const auto ours = predictor.probabilities_of_normalized(pixels.data(), images, height, width);
      if (expected.empty()) expected = ours;
      EXPECT_EQ(std::memcmp(ours.data(), expected.data(), ours.size() * sizeof(float)), 0) << threads;
    }
  }
}

TEST_F(QuantizedNetworkTest, SaysWhatDoesNotFit) {
  const Network network = folded(build_graph({Family::classic, 3, 1, 4, 1}));
  Ranges ranges = ranges_of(network);
  kernels::CpuStream stream(1);
  ranges.at("enc0.relu1").pop_back();
  tests::expect_input_error([&] { static_cast<void>(make_quantized_plan(network, ranges, stream)); }, "enc0.relu1",
                            "plume quantize");
  ranges.erase("enc0.relu1");
  tests::expect_input_error([&] { static_cast<void>(make_quantized_plan(network, ranges, stream)); }, "enc0.relu1",
                            "plume quantize");
  auto pixels = noise(network.graph(), 5);
  pixels[7] = std::numeric_limits<float>::quiet_NaN();
  Calibration calibration(network);
  tests::expect_input_error([&] { calibration.add(pixels.data(), {1, height, width, 3}); }, "not finite");
}

TEST_F(QuantizedNetworkTest, RangesComeBackFromAFile) {
  const tests::ScratchFolder folder;
  const Network network = trained_network(build_graph({Family::classic, 3, 1, 4, 1}));
  save_model(folder / "plain.safetensors", network, {}, "key = 1");
  tests::expect_input_error([&] { static_cast<void>(load_ranges(folder / "plain.safetensors")); }, "plain.safetensors",
                            "plume quantize");
  EXPECT_FALSE(ranges_for(folder / "plain.safetensors", Precision::f32));

  const Ranges ranges = ranges_of(fold_norms(on_stream(network, stream_)));
  save_with_ranges(folder / "int8.safetensors", folder / "plain.safetensors", ranges);
  EXPECT_EQ(load_ranges(folder / "int8.safetensors"), ranges);
  EXPECT_EQ(ranges_for(folder / "int8.safetensors", Precision::int8), ranges);
  const Network loaded = load_model(folder / "int8.safetensors");
  for (const nn::ParameterInfo& info : network.parameters().all()) {
    EXPECT_EQ(loaded.parameters().to_named(info).values, network.parameters().to_named(info).values) << info.name;
  }
  // Calibrated again, in its own place.
  save_with_ranges(folder / "int8.safetensors", folder / "int8.safetensors", {{"head", {{-1, 2, 0.5F}}}});
  EXPECT_EQ(load_ranges(folder / "int8.safetensors").size(), 1);

  const Ranges damaged{{"head", {{2, 1, 0.5F}}}};
  save_with_ranges(folder / "bad.safetensors", folder / "plain.safetensors", damaged);
  tests::expect_input_error([&] { static_cast<void>(load_ranges(folder / "bad.safetensors")); }, "bad.safetensors",
                            "head.range");
}

// NASA's models normalise before they convolve, and their probabilities lie everywhere between 0 and 1, where a threshold
// cuts through many.
TEST_F(QuantizedNetworkTest, FollowsNasasModelsOnRealTiles) {
  const auto models = tests::real_data() / "pixel_detector";
  const auto tiles = tests::real_data() / "goes16_tiles" / "original_float32";
  if (!std::filesystem::exists(models)) GTEST_SKIP() << "no NASA models at " << models;
  for (const char* name : {"smoke_wmts_ref.h5", "smoke_wmts_ref_3layer.h5"}) {
    const KerasModel model = read_keras_h5(models / name);
    Network network(model.graph, DType::f32, Fusion::on, &stream_);
    load_parameters(network, model.parameters);
    std::vector<data::Raster> inputs;
    Calibration calibration(network);
    for (const auto& path : data::list_rasters(tiles)) {
      inputs.push_back(data::read_raster(path, {0, 1, 2, 3, 4, 5}));
      const data::Raster& tile = inputs.back();
      calibration.add(tile.pixels.data(), {1, tile.height, tile.width, tile.bands});
    }
    Predictor real(network);
    Predictor eight_bit(network, calibration.ranges());
    double difference = 0;
    std::int64_t pixels = 0;
    std::int64_t both = 0;
    std::int64_t either = 0;
    for (const data::Raster& tile : inputs) {
      const auto expected = real.probabilities(tile.pixels.data(), 1, tile.height, tile.width);
      const auto ours = eight_bit.probabilities(tile.pixels.data(), 1, tile.height, tile.width);
      for (std::size_t i = 0; i < ours.size(); ++i) {
        difference += static_cast<double>(std::abs(ours[i] - expected[i]));
        both += static_cast<std::int64_t>(ours[i] > 0.5F && expected[i] > 0.5F);
        either += static_cast<std::int64_t>(ours[i] > 0.5F || expected[i] > 0.5F);
        ++pixels;
      }
    }
    EXPECT_LT(difference / static_cast<double>(pixels), 0.01) << name;
    EXPECT_GT(static_cast<double>(both) / static_cast<double>(either), 0.95) << name;
  }
}

}  // namespace
}  // namespace plume::unet

// Models as Keras's .h5: plume reads its own back as it was, and a real Keras computes what plume does.
#include "unet/export_keras.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "../expect_error.hpp"
#include "../python.hpp"
#include "../random_values.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/images/npy.hpp"
#include "program.hpp"
#include "small_networks.hpp"
#include "trained_network.hpp"
#include "unet/checkpoint.hpp"
#include "unet/import_keras.hpp"
#include "unet/inference/predict.hpp"

namespace plume::tests {
namespace {

// Weights come from the file: draws for them, which JAX compiles shape by shape, would take half a minute.
constexpr const char* run_keras = R"(
import keras, numpy, sys
keras.initializers.GlorotUniform.__call__ = lambda self, shape, dtype=None, **_: keras.ops.zeros(shape, dtype)
model, pixels, answer = sys.argv[1:]
numpy.save(answer, keras.models.load_model(model, compile=False).predict(numpy.load(pixels), verbose=0))
)";

unet::Graph graph_of(const unet::ModelSettings& settings) {
  unet::Graph graph = unet::build_graph(settings);
  graph.input.mean = {10, 20, 30};
  graph.input.std = {2, 3, 4};
  return graph;
}

class ExportKeras : public testing::TestWithParam<SmallNetwork> {
 protected:
  ExportKeras() { unet::save_model(model_, network_, {}, ""); }

  ScratchFolder folder_;
  unet::Network network_ = trained_network(graph_of(GetParam().settings));
  std::filesystem::path model_ = folder_ / "model.safetensors";
  std::string file_ = folder_ / "model.h5";
  std::vector<double> values_ = random_values(std::size_t{2} * 64 * 96 * 3, 5, 0, 40);
  std::vector<float> pixels_{values_.begin(), values_.end()};
};

TEST_P(ExportKeras, ReadBackItGivesTheSame) {
  const auto bytes = unet::export_keras(model_);
  EXPECT_EQ(bytes, unet::export_keras(model_)) << "not the same every time";
  write_file(file_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const unet::KerasModel read = unet::read_keras_h5(file_);
  EXPECT_EQ(read.graph.activation, network_.graph().activation);
  // But for the normalisation in front, layer by layer what it was, and bit by bit.
  std::vector<unet::Layer> layers(read.graph.layers.begin() + 1, read.graph.layers.end());
  for (unet::Layer& layer : layers) {
    for (std::string& input : layer.inputs)
      if (input == "input.scaling") input = "input";
  }
  EXPECT_EQ(layers, network_.graph().layers);
  unet::Network again(read.graph);
  unet::load_parameters(again, read.parameters);
  for (const auto& info : network_.parameters().all()) {
    EXPECT_EQ(again.parameters().to_named(*again.parameters().find(info.name)).values,
              network_.parameters().to_named(info).values)
        << info.name;
  }
  const auto ours = unet::Predictor(network_).probabilities(pixels_.data(), 2, 64, 96);
  const auto theirs = unet::Predictor(again).probabilities(pixels_.data(), 2, 64, 96);
  for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], 1e-5) << i;
}

TEST_P(ExportKeras, KerasComputesTheSame) {
  ::setenv("KERAS_BACKEND", "jax", 1);
  ::setenv("KERAS_HOME", (folder_ / "").c_str(), 1);  // where it keeps its settings
  ::setenv("JAX_PLATFORMS", "cpu", 1);
  if (!python_has("keras, jax", peers_python)) GTEST_SKIP() << "no keras and jax in " << peers_python;
  const Outcome exported = run_plume({"export", "keras", model_, "-o", file_});
  ASSERT_EQ(exported.exit_code, 0) << exported.errors;
  data::write_npy(folder_ / "pixels.npy", std::array<std::int64_t, 4>{2, 64, 96, 3}, pixels_);
  const Outcome outcome =
      run_command({peers_python, "-c", run_keras, file_, folder_ / "pixels.npy", folder_ / "answer.npy"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto theirs = data::read_npy(folder_ / "answer.npy").values;
  const auto ours = unet::Predictor(network_).probabilities(pixels_.data(), 2, 64, 96);
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], 1e-5) << i;
}

INSTANTIATE_TEST_SUITE_P(
    Families, ExportKeras,
    testing::Values(SmallNetwork{"pixel_detector",
                                 {.family = unet::Family::pixel_detector, .bands = 3, .base = 8, .depth = 3}},
                    SmallNetwork{"classic", {.bands = 3, .classes = 4, .base = 4, .depth = 2}},
                    SmallNetwork{"bilinear", {.bands = 3, .base = 4, .depth = 2, .up = unet::Up::bilinear}}),
    testing::PrintToStringParamName());

TEST(ExportKerasTest, WhatKerasCannotIsNamed) {
  const ScratchFolder folder;
  const auto model = folder / "model.safetensors";
  unet::save_model(model, trained_network(graph_of({.bands = 3, .base = 4, .depth = 1, .up = unet::Up::aligned})), {},
                   "");
  expect_input_error([&] { (void)unet::export_keras(model); }, model.string(), "layer 'up0.resize' aligns corners");
}

// NASA's own, by way of plume: the weights' bits as they were.
TEST(ExportKerasTest, NasasModelsComeBackAsTheyWere) {
  const auto models = real_data() / "pixel_detector";
  if (!std::filesystem::exists(models)) GTEST_SKIP() << "no NASA models at " << models;
  const ScratchFolder folder;
  for (const char* name : {"smoke_wmts_ref", "smoke_wmts_ref_3layer"}) {
    const auto original = models / (std::string(name) + ".h5");
    ASSERT_EQ(run_plume({"import", "keras", original, "-o", folder / "model.safetensors"}).exit_code, 0);
    ASSERT_EQ(run_plume({"export", "keras", folder / "model.safetensors", "-o", folder / "model.h5"}).exit_code, 0);
    const unet::KerasModel before = unet::read_keras_h5(original);
    const unet::KerasModel after = unet::read_keras_h5(folder / "model.h5");
    EXPECT_EQ(after.graph, before.graph);
    ASSERT_EQ(after.parameters.size(), before.parameters.size());
    for (std::size_t i = 0; i < after.parameters.size(); ++i)
      EXPECT_EQ(after.parameters[i].values, before.parameters[i].values) << before.parameters[i].name;
  }
}

}  // namespace
}  // namespace plume::tests

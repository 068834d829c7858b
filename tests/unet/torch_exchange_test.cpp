// Models that PyTorch and plume take from each other by their tensors' names give the same values there and here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "../python.hpp"
#include "nn/safetensors.hpp"
#include "nn/transfer.hpp"
#include "program.hpp"
#include "small_training.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/predict.hpp"

namespace plume::tests {
namespace {

void require_torch() {
  if (!python_has("torch, numpy"))
    GTEST_SKIP() << python << " has no torch and numpy (Debian: python3-torch, python3-numpy)";
}

nn::Shape shape_of(const nn::SafetensorsFile& file, std::string_view name) {
  const auto& shape = file.find(name)->shape;
  const auto at = [&](std::size_t i) { return static_cast<int>(shape[i]); };
  return {at(0), at(1), at(2), at(3)};
}

std::vector<float> logits_of(const std::filesystem::path& model, const std::vector<float>& pixels,
                             const nn::Shape& shape) {
  const unet::Network network = unet::load_model(model);
  kernels::Stream stream = kernels::CpuStream(1);
  nn::Arena arena;
  const nn::Context context{.stream = stream, .arena = arena};
  const nn::Tensor images = context.allocate(shape, DType::f32, "images");
  std::copy(pixels.begin(), pixels.end(), images.data<float>());
  return nn::download(network(context, images), stream);
}

void expect_near(const std::vector<float>& ours, const std::vector<float>& theirs, float bound) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) ASSERT_NEAR(ours[i], theirs[i], bound) << "value " << i;
}

class Milesial : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    require_torch();
    if (IsSkipped()) return;
    const Outcome made =
        run_command({python, "-B", PLUME_SOURCE_DIR "/tests/parity/milesial.py", GetParam(), (folder_ / "").string()});
    ASSERT_EQ(made.exit_code, 0) << made.errors;
  }

  ScratchFolder folder_;
};

TEST_P(Milesial, ItsWeightsGiveItsLogits) {
  const std::string model = folder_ / "model.safetensors";
  const Outcome imported = run_plume({"import", "torch", folder_ / "weights.safetensors", "-o", model});
  ASSERT_EQ(imported.exit_code, 0) << imported.errors;
  const nn::SafetensorsFile made(folder_ / "case.safetensors");
  expect_near(logits_of(model, made.floats("pixels"), shape_of(made, "pixels")), made.floats("logits"), 1e-5F);
}

TEST_P(Milesial, ItsWeightsStartATrainingOfTheSameNetwork) {
  const bool bilinear = std::string_view(GetParam()) == "bilinear";
  const auto config = [&](const char* up) {
    write_file(folder_ / "config.toml", std::string("[model]\nbands = 3\nclasses = 2\nbase = 8\ndepth = 4\nup = '") +
                                            up + "'\n[train]\nsteps = 1\n");
    return run_plume({"import", "torch", folder_ / "weights.safetensors", "--config", folder_ / "config.toml", "-o",
                      folder_ / "model.safetensors"});
  };
  const Outcome fitting = config(bilinear ? "aligned" : "transposed");
  EXPECT_EQ(fitting.exit_code, 0) << fitting.errors;
  expect_failed(
      config(bilinear ? "transposed" : "aligned"), 3,
      {"do not fit the network", "up1.up.weight", "of another shape: down4.maxpool_conv.1.double_conv.0.weight"});
}

INSTANTIATE_TEST_SUITE_P(UpSampling, Milesial, testing::Values("transposed", "bilinear"),
                         [](const auto& info) { return std::string(info.param); });

TEST(PyTorchPage, ItsUNetGivesWhatATrainedModelGivesHere) {
  require_torch();
  if (testing::Test::IsSkipped()) return;
  const ScratchFolder folder;
  const auto shard = small_shard(folder);
  write_file(folder / "config.toml", unet::to_toml(small_config(shard)));
  const Outcome trained = run_plume({"train", folder / "config.toml", "--quiet", "--out", folder / "run"});
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;

  const auto scene = data::synth::draw_scene(3, 1, 64);
  const std::vector<float> pixels(scene.pixels.begin(), scene.pixels.end());
  const nn::TensorSource source{"pixels", DType::f32, {1, 64, 64, 6}, std::as_bytes(std::span(pixels))};
  nn::save_safetensors(folder / "case.safetensors", {}, std::span(&source, 1));
  const std::string model = folder / "run/best.safetensors";
  const Outcome run =
      run_command({python, "-B", PLUME_SOURCE_DIR "/tests/parity/docs_unet.py", model, folder / "case.safetensors",
                   folder / "out.safetensors", R"({"bands": 6, "base": 4, "depth": 2})"});
  ASSERT_EQ(run.exit_code, 0) << run.errors;

  const unet::Network network = unet::load_model(model);
  const auto ours = unet::Predictor(network, 1).probabilities(pixels.data(), 1, 64, 64);
  const auto [least, most] = std::minmax_element(ours.begin(), ours.end());
  EXPECT_GT(*most - *least, 0.05F) << "a model that says the same everywhere shows nothing";
  expect_near(ours, nn::SafetensorsFile(folder / "out.safetensors").floats("probability"), 1e-5F);
}

}  // namespace
}  // namespace plume::tests

// Losses and their gradients as PyTorch, segmentation_models.pytorch and MONAI have them (tests/parity/make_losses.py
// recorded theirs).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "gradient_check.hpp"
#include "nn/loss.hpp"
#include "nn/safetensors.hpp"
#include "nn/tape.hpp"

namespace plume::nn::tests {
namespace {

struct PeerCase {
  std::string name;
  LossSettings settings;
  std::vector<double> class_weights = {};
};
void PrintTo(const PeerCase& peer, std::ostream* out) {
  *out << peer.name;
}

std::vector<PeerCase> peer_cases() {
  const kernels::TverskySettings tversky{.alpha = 0.3, .beta = 0.7};
  return {{"binary.bce", {}},
          {"binary.bce_smoothed", {.label_smoothing = 0.1}},
          {"binary.bce_weighted", {}, {0.5, 3}},
          {"binary.dice", {.cross_entropy = 0, .dice = 1}},
          {"binary.focal", {.cross_entropy = 0, .focal = 1}},
          {"binary.focal_1.5", {.cross_entropy = 0, .focal = 1, .focal_gamma = 1.5}},
          {"binary.tversky", {.cross_entropy = 0, .tversky = 1, .tversky_shape = tversky}},
          {"binary.tversky_0.75",
           {.cross_entropy = 0, .tversky = 1, .tversky_shape = {.alpha = 0.3, .beta = 0.7, .gamma = 0.75}}},
          {"binary.lovasz", {.cross_entropy = 0, .lovasz = 1}},
          {"classes.cross_entropy", {}},
          {"classes.cross_entropy_smoothed", {.label_smoothing = 0.1}},
          {"classes.cross_entropy_weighted", {}, {0.5, 3, 1, 2}},
          {"classes.dice", {.cross_entropy = 0, .dice = 1}},
          {"classes.focal", {.cross_entropy = 0, .focal = 1}},
          {"classes.tversky", {.cross_entropy = 0, .tversky = 1, .tversky_shape = tversky}},
          {"classes.tversky_of_monai", {.cross_entropy = 0, .tversky = 1, .tversky_shape = tversky}},
          {"classes.lovasz", {.cross_entropy = 0, .lovasz = 1}},
          {"classes.ordinal", {.cross_entropy = 0, .ordinal = 1}}};
}

class LossPeers : public testing::TestWithParam<PeerCase> {};
INSTANTIATE_TEST_SUITE_P(Terms, LossPeers, testing::ValuesIn(peer_cases()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& letter : name)
    if (letter == '.') letter = '_';
  return name;
});

TEST_P(LossPeers, HaveTheSameValueAndGradient) {
  const PeerCase& peer = GetParam();
  const SafetensorsFile file(std::filesystem::path(PLUME_SOURCE_DIR) / "tests/golden/losses.safetensors");
  const std::string kind = peer.name.substr(0, peer.name.find('.'));
  const TensorInfo* info = file.find(kind + ".logits");
  ASSERT_NE(info, nullptr);
  const Shape shape{static_cast<int>(info->shape[0]), static_cast<int>(info->shape[1]),
                    static_cast<int>(info->shape[2]), static_cast<int>(info->shape[3])};
  const auto logits = file.floats(kind + ".logits");
  std::vector<std::uint8_t> labels;
  for (const float label : file.floats(kind + ".labels")) labels.push_back(static_cast<std::uint8_t>(label));

  kernels::Stream stream = kernels::CpuStream(1);
  Arena arena;
  Tape tape;
  const Context context{stream, arena, &tape, true};
  const Tensor z(shape, DType::f64, "logits", arena.allocate(logits.size() * sizeof(double), "logits"));
  for (std::size_t i = 0; i < logits.size(); ++i) z.data<double>()[i] = static_cast<double>(logits[i]);
  const Targets targets{labels.data(), nullptr, peer.class_weights.empty() ? nullptr : peer.class_weights.data()};
  const double value = loss(context, z, targets, peer.settings);

  // The records hold f32.
  const auto theirs = static_cast<double>(file.floats(peer.name + ".value").at(0));
  EXPECT_NEAR(value, theirs, 1e-6 * theirs);
  const auto expected = file.floats(peer.name + ".gradient");
  const std::vector<double> gradient(z.gradient<double>(), z.gradient<double>() + expected.size());
  EXPECT_LE(relative_distance(gradient, std::vector<double>(expected.begin(), expected.end())), 1e-6);
}

}  // namespace
}  // namespace plume::nn::tests

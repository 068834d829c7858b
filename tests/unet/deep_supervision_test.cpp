// Heads at decoder levels: their part in the loss and its gradient, against definitions in f64; and that nobody but a
// training has them.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "../scratch_folder.hpp"
#include "data/loading/random_batch.hpp"
#include "nn/initialize.hpp"
#include "nn/loss.hpp"
#include "nn/tape.hpp"
#include "trained_network.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/predict.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

constexpr int edge = 16;
constexpr int bands = 2;

ModelSettings settings_of(Family family) {
  return {.family = family, .bands = bands, .classes = 3, .base = 4, .depth = 3, .wide = 6, .deep_supervision = 2};
}

// A network in f64 and what it is compared with.
class SupervisedNetwork {
 public:
  explicit SupervisedNetwork(Family family) : network_(build_graph(settings_of(family)), DType::f64) {
    nn::initialize(network_.parameters(), nn::Initializer::he, 1);
  }

  [[nodiscard]] nn::Parameters& parameters() { return network_.parameters(); }
  [[nodiscard]] const std::vector<std::uint8_t>& labels() const { return labels_; }

  // The logits of all heads as they are; the losses; and with gradients their sum's.
  struct Result {
    std::vector<std::vector<double>> logits;
    std::vector<double> losses;
  };
  Result run(bool gradients) {
    nn::Arena arena;
    nn::Tape tape;
    const nn::Context context{.stream = stream_, .arena = arena, .tape = gradients ? &tape : nullptr, .training = true};
    const nn::Tensor x({2, edge, edge, bands}, DType::f64, "images", reinterpret_cast<std::byte*>(images_.data()),
                       nullptr);
    const auto logits = network_.with_heads(context, x);
    Result result;
    for (const nn::Tensor& each : logits)
      result.logits.emplace_back(each.data<double>(), each.data<double>() + each.shape().count());
    result.losses.resize(logits.size());
    nn::deep_loss(context, result.losses.data(), logits, {.labels = labels_.data()}, {.cross_entropy = 1, .dice = 0.5});
    if (gradients) nn::backward(context, tape);
    return result;
  }

  double loss() {
    const std::vector<double> weights{4.0 / 7, 2.0 / 7, 1.0 / 7};  // 1 : 1/2 : 1/4
    const Result result = run(false);
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * result.losses[i];
    return sum;
  }

 private:
  kernels::Stream stream_ = kernels::CpuStream(2);
  Network network_;
  std::vector<double> images_ = tests::random_values(std::size_t{2} * edge * edge * bands, 7);
  std::vector<std::uint8_t> labels_ = tests::random_labels(std::size_t{2} * edge * edge, 8, 3);
};

class DeepSupervision : public testing::TestWithParam<Family> {};

// -log of the softmax's share of the label in the middle of each block, over those that count.
TEST_P(DeepSupervision, EachHeadsLossIsThatOfCoarserLabels) {
  SupervisedNetwork network(GetParam());
  const auto result = network.run(false);
  ASSERT_EQ(result.losses.size(), 3U);
  for (std::size_t head = 0; head < 3; ++head) {
    const int factor = 1 << head;
    const int size = edge / factor;
    ASSERT_EQ(result.logits[head].size(), static_cast<std::size_t>(2 * size * size * 3));
    double entropy = 0;
    double counted = 0;
    std::vector<double> both(3), there(3), found(3);
    for (int p = 0; p < 2 * size * size; ++p) {
      const int row = p / size % size * factor + factor / 2;
      const int column = p % size * factor + factor / 2;
      const int label = network.labels()[static_cast<std::size_t>((p / (size * size) * edge + row) * edge + column)];
      if (label == kernels::ignore_label) continue;
      const double* z = result.logits[head].data() + std::ptrdiff_t{3} * p;
      const double all = std::exp(z[0]) + std::exp(z[1]) + std::exp(z[2]);
      entropy -= std::log(std::exp(z[label]) / all);
      ++counted;
      for (std::size_t c = 0; c < 3; ++c) {
        found[c] += std::exp(z[c]) / all;
        there[c] += static_cast<std::size_t>(label) == c ? 1 : 0;
        both[c] += static_cast<std::size_t>(label) == c ? std::exp(z[c]) / all : 0;
      }
    }
    double dice = 0;
    for (std::size_t c = 0; c < 3; ++c) dice += (2 * both[c] + 1) / (found[c] + there[c] + 1) / 3;
    EXPECT_NEAR(result.losses[head], entropy / counted + 0.5 * (1 - dice), 1e-12) << "head " << head;
  }
}

TEST_P(DeepSupervision, GradientsAreThoseOfTheWeightedSum) {
  SupervisedNetwork network(GetParam());
  network.run(true);
  std::uint64_t seed = 0;
  for (const nn::ParameterInfo& info : network.parameters().all()) {
    if (info.kind == nn::ParameterKind::statistic) continue;
    const nn::Tensor tensor = network.parameters().tensor(info.name);
    // Along a direction through all of a parameter's values.
    const auto direction = tests::random_values(info.shape.count(), ++seed);
    double expected = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) expected += direction[i] * tensor.gradient<double>()[i];
    constexpr double step = 1e-6;
    const auto loss_at = [&](double distance) {
      for (std::size_t i = 0; i < direction.size(); ++i) tensor.data<double>()[i] += distance * direction[i];
      const double loss = network.loss();
      for (std::size_t i = 0; i < direction.size(); ++i) tensor.data<double>()[i] -= distance * direction[i];
      return loss;
    };
    const double slope = (loss_at(step) - loss_at(-step)) / (2 * step);
    EXPECT_NEAR(slope, expected, 1e-6 * std::max(1.0, std::abs(expected))) << info.name;
  }
}

TEST_P(DeepSupervision, OnlyATrainingHasTheHeads) {
  const tests::ScratchFolder folder;
  const Network network = tests::trained_network(build_graph(settings_of(GetParam())));
  save_model(folder / "model.safetensors", network, {}, "");
  const Network loaded = load_model(folder / "model.safetensors");
  ModelSettings plain = settings_of(GetParam());
  plain.deep_supervision = 0;
  EXPECT_EQ(loaded.graph(), build_graph(plain));
  const auto pixels = tests::random_values(std::size_t{edge} * edge * bands, 3);
  const std::vector<float> image(pixels.begin(), pixels.end());
  EXPECT_EQ(Predictor(loaded).probabilities(image.data(), 1, edge, edge),
            Predictor(network).probabilities(image.data(), 1, edge, edge));
  EXPECT_EQ(graph_from_json(to_json(network.graph())), network.graph());
}

INSTANTIATE_TEST_SUITE_P(Families, DeepSupervision, testing::Values(Family::classic, Family::pixel_detector),
                         [](const auto& info) { return info.param == Family::classic ? "classic" : "pixel_detector"; });

TEST(DeepSupervisionTest, AStepsLossIsTheHeadsTogether) {
  const auto loss_with = [](int heads, int accumulate) {
    Config config;
    config.model = {.bands = bands, .base = 4, .depth = 3, .deep_supervision = heads};
    config.train.batch = 4;
    config.train.accumulate = accumulate;
    config.optimizer = {.kind = nn::OptimizerSettings::Kind::sgd, .momentum = 0, .weight_decay = 0};
    Network network(build_graph(config.model));  // of zeros, so that every head says 1/2 everywhere
    nn::Optimizer optimizer(config.optimizer, network.parameters());
    return TrainingStep(network, config, edge - 3, edge - 3)
        .run(data::random_batch(4, edge - 3, bands, 5), optimizer, 0.1);
  };
  for (const int heads : {0, 2}) EXPECT_NEAR(loss_with(heads, 1), std::log(2.0), 1e-6);
  EXPECT_NEAR(loss_with(2, 2), std::log(2.0), 1e-6);
}

TEST(DeepSupervisionTest, MoreHeadsThanLevelsAreRefused) {
  ModelSettings settings = settings_of(Family::classic);
  settings.deep_supervision = 3;
  tests::expect_error(
      ErrorKind::usage, [&] { (void)build_graph(settings); }, "model.deep_supervision = 3: 0 to 2");
}

}  // namespace
}  // namespace plume::unet

// The loss's gradient against central differences, for every term, and float against double.
#include "nn/loss.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "../random_values.hpp"
#include "gradient_check.hpp"
#include "nn/tape.hpp"

namespace plume::nn::tests {
namespace {

using plume::tests::random_labels;
using plume::tests::random_values;

// One loss of one batch; labels hold some to ignore.
struct LossCase {
  std::string name;
  LossSettings settings;
  Shape shape;
  bool weighted = false;

  [[nodiscard]] std::size_t pixels() const { return shape.count() / static_cast<std::size_t>(shape.c); }
};

struct LossResult {
  double value = 0;
  std::vector<double> gradient;
};

constexpr double scale = 0.5;

template <class T>
LossResult run(const LossCase& problem, const std::vector<double>& logits, bool with_gradient) {
  kernels::Stream stream = kernels::CpuStream(1);
  Arena arena;
  Tape tape;
  const Context context{stream, arena, with_gradient ? &tape : nullptr, true};
  const std::size_t count = problem.shape.count();
  const Tensor z(problem.shape, dtype_of<T>(), "logits", arena.allocate(count * sizeof(T), "logits"));
  for (std::size_t i = 0; i < count; ++i) z.data<T>()[i] = static_cast<T>(logits[i]);
  const auto labels = random_labels(problem.pixels(), 2, std::max(problem.shape.c, 2));
  std::vector<T> weights;
  for (const double weight : random_values(problem.pixels(), 3, 0.1F, 2)) weights.push_back(static_cast<T>(weight));
  const std::vector<T> class_weights{T{1}, T{0.5}, T{2}, T{3}};
  LossResult result;
  const Targets targets{labels.data(), problem.weighted ? weights.data() : nullptr,
                        problem.weighted ? class_weights.data() : nullptr};
  result.value = loss(context, z, targets, problem.settings, scale);
  if (with_gradient) result.gradient.assign(z.gradient<T>(), z.gradient<T>() + count);
  return result;
}

std::vector<LossCase> loss_cases() {
  // A new member breaks this line: give it a row below, then name it here.
  const auto [cross_entropy, dice, focal, tversky, lovasz, ordinal, dice_smooth, smoothing, gamma, shape] =
      LossSettings{};
  static_cast<void>(cross_entropy + dice + focal + tversky + lovasz + ordinal + dice_smooth + smoothing + gamma +
                    shape.alpha);
  const std::vector<std::pair<std::string, LossSettings>> terms{
      {"cross_entropy", {.cross_entropy = 1, .dice = 0}},
      {"label_smoothing", {.cross_entropy = 1, .label_smoothing = 0.1}},
      {"dice", {.cross_entropy = 0, .dice = 1, .dice_smooth = 1}},
      {"dice_not_smoothed", {.cross_entropy = 0, .dice = 2, .dice_smooth = 0}},
      {"focal", {.cross_entropy = 0, .focal = 1, .focal_gamma = 1.5}},
      {"tversky", {.cross_entropy = 0, .tversky = 1}},
      {"focal_tversky",
       {.cross_entropy = 0, .tversky = 1, .tversky_shape = {.alpha = 0.2, .beta = 0.6, .gamma = 0.75}}},
      {"lovasz", {.cross_entropy = 0, .lovasz = 1}},
      {"ordinal", {.cross_entropy = 0, .ordinal = 1}},
      {"mixed", {.cross_entropy = 0.7, .dice = 0.3, .focal = 0.2, .lovasz = 0.1, .dice_smooth = 0.5}}};
  std::vector<LossCase> cases;
  for (const auto& [name, settings] : terms) {
    for (const int channels : {1, 2, 4}) {
      if (settings.ordinal > 0 && channels == 1) continue;
      for (const bool weighted : {false, true}) {
        const std::string text = fmt::format("{}_{}{}", name, channels, weighted ? "_weighted" : "");
        cases.push_back({text + "_odd", settings, {1, 5, 7, channels}, weighted});
        cases.push_back({text + "_even", settings, {3, 4, 6, channels}, weighted});
      }
    }
  }
  return cases;
}

std::vector<double> logits_of(const LossCase& problem) {
  return random_values(problem.shape.count(), 1, -3, 3);
}

TEST(Loss, GradientMatchesDifferences) {
  constexpr double step = 1e-5;
  for (const LossCase& problem : loss_cases()) {
    SCOPED_TRACE(problem.name);
    auto logits = logits_of(problem);
    const LossResult ours = run<double>(problem, logits, true);
    double squares = 0;
    for (const double g : ours.gradient) squares += g * g;
    const double rms = std::sqrt(squares / static_cast<double>(ours.gradient.size()));
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const double middle = logits[i];
      logits[i] = middle + step;
      const double above = run<double>(problem, logits, false).value;
      logits[i] = middle - step;
      const double below = run<double>(problem, logits, false).value;
      logits[i] = middle;
      const double difference = scale * (above - below) / (2 * step);
      EXPECT_NEAR(ours.gradient[i], difference, 1e-6 * std::max(std::abs(difference), rms)) << "logit " << i;
    }
  }
}

TEST(Loss, FloatMatchesDouble) {
  for (const LossCase& problem : loss_cases()) {
    SCOPED_TRACE(problem.name);
    const LossResult narrow = run<float>(problem, logits_of(problem), true);
    const LossResult wide = run<double>(problem, logits_of(problem), true);
    EXPECT_NEAR(narrow.value, wide.value, 1e-6 * wide.value);
    EXPECT_LE(relative_distance(narrow.gradient, wide.gradient), 1e-6);
  }
}

// Another use of the logits, before or after, adds its gradient.
TEST(Loss, AddsToTheGradientThatIsThere) {
  kernels::Stream stream = kernels::CpuStream(1);
  Arena arena;
  Tape tape;
  const Context context{stream, arena, &tape, true};
  const Tensor z({1, 1, 1, 1}, DType::f64, "z", arena.allocate(sizeof(double), "z"));
  z.data<double>()[0] = 0;
  const std::uint8_t label = 1;
  for (const double expected : {-0.5, -1.0}) {
    EXPECT_NEAR(loss(context, z, {&label, nullptr}, {}), std::log(2.0), 1e-15);
    EXPECT_EQ(z.gradient<double>()[0], expected);
  }
}

}  // namespace
}  // namespace plume::nn::tests

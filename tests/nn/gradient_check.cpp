// Evaluations of operations, central differences, and their comparison.
#include "gradient_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <set>

#include "../random_values.hpp"
#include "nn/tape.hpp"

namespace plume::nn::tests {
namespace {

using plume::tests::random_values;

constexpr double parameter_gradient_before = 0.25;  // what gradients are added to
constexpr double step = 1e-6;

template <class T>
std::vector<double> widened(const T* from, std::size_t count) {
  return {from, from + count};
}

std::vector<double> values_in(const Tensor& tensor) {
  return with_type(tensor.dtype(),
                   [&](auto element) { return widened(tensor.data<decltype(element)>(), tensor.shape().count()); });
}

std::vector<double> gradient_in(const Tensor& tensor) {
  return with_type(tensor.dtype(),
                   [&](auto element) { return widened(tensor.gradient<decltype(element)>(), tensor.shape().count()); });
}

// Writes values as elements of the type.
void store(std::byte* to, DType type, const std::vector<double>& values) {
  with_type(type, [&](auto element) {
    using T = decltype(element);
    std::transform(values.begin(), values.end(), reinterpret_cast<T*>(to), [](double v) { return static_cast<T>(v); });
  });
}

// The leaves' tensors, with memory as in training: images from the arena, parameters beside a gradient that is added to.
class LeafMemory {
 public:
  LeafMemory(const OperationCheck& check, const Values& values, DType type, Arena& arena) {
    for (std::size_t i = 0; i < check.leaves.size(); ++i) {
      const Leaf& leaf = check.leaves[i];
      const std::size_t bytes = leaf.shape.count() * size_of(type);
      if (leaf.kind == Leaf::Kind::image) {
        Block block = arena.allocate(bytes, leaf.name);
        store(block.data(), type, values[i]);
        tensors_.emplace_back(leaf.shape, type, leaf.name, std::move(block));
        continue;
      }
      std::byte* data = memory_.emplace_back(bytes).data();
      store(data, type, values[i]);
      std::byte* gradient = nullptr;
      if (leaf.kind == Leaf::Kind::parameter) {
        gradient = memory_.emplace_back(bytes).data();
        store(gradient, type, std::vector<double>(leaf.shape.count(), parameter_gradient_before));
      }
      tensors_.emplace_back(leaf.shape, type, leaf.name, data, gradient);
    }
  }
  [[nodiscard]] const Leaves& tensors() const { return tensors_; }

  [[nodiscard]] static std::vector<double> gradient(const Leaf& leaf, const Tensor& tensor) {
    if (!tensor.has_gradient()) return std::vector<double>(leaf.shape.count());
    auto values = gradient_in(tensor);
    if (leaf.kind == Leaf::Kind::parameter) {
      for (double& value : values) value -= parameter_gradient_before;
    }
    return values;
  }

 private:
  std::vector<std::vector<std::byte>> memory_;
  Leaves tensors_;
};

// Puts the coefficients where a loss would put its gradient.
void seed(const Inputs& outputs, DType type, Arena& arena, const std::vector<double>& all) {
  auto from = all.begin();
  for (const Tensor& y : outputs) {
    const auto last = from + static_cast<std::ptrdiff_t>(y.shape().count());
    std::vector<double> values(from, last);
    if (y.prepare_gradient(arena)) {
      const auto before = gradient_in(y);
      std::transform(values.begin(), values.end(), before.begin(), values.begin(), std::plus{});
    }
    store(y.gradient<std::byte>(), type, values);
    from = last;
  }
}

// sum(coefficient * output) at value + step less that at value - step, by 2 step; none where a ReLU of the outputs
// switches in between.
std::optional<double> central_difference(const OperationCheck& check, Values& values, std::size_t leaf,
                                         std::size_t place) {
  const double middle = values[leaf][place];
  values[leaf][place] = middle + step;
  const auto above = evaluate(check, values, DType::f64, false).outputs;
  values[leaf][place] = middle - step;
  const auto below = evaluate(check, values, DType::f64, false).outputs;
  values[leaf][place] = middle;
  const auto weights = coefficients(above.size());
  double sum = 0;
  for (std::size_t i = 0; i < above.size(); ++i) {
    if ((above[i] == 0) != (below[i] == 0)) return {};
    sum += weights[i] * (above[i] - below[i]);
  }
  return sum / ((middle + step) - (middle - step));
}

// All places of a small tensor, 40 random ones of a large one.
std::set<std::size_t> places_in(std::size_t count) {
  std::set<std::size_t> places;
  Philox random(11, 0);
  while (places.size() < std::min<std::size_t>(count, 40)) {
    places.insert(count <= 40 ? places.size() : random.below(static_cast<std::uint32_t>(count)));
  }
  return places;
}

}  // namespace

Values values_of(const OperationCheck& check) {
  Values values;
  for (const Leaf& leaf : check.leaves) {
    const std::size_t count = leaf.shape.count();
    values.push_back(random_values(count, 20 + values.size(), leaf.low, leaf.high));
    if (!leaf.distinct) continue;
    // The rank of each draw, scaled.
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values.back()[a] < values.back()[b]; });
    for (std::size_t rank = 0; rank < count; ++rank) {
      const double middle = static_cast<double>(count) / 2 - 0.5;
      values.back()[order[rank]] = static_cast<float>(0.015625 * (static_cast<double>(rank) - middle));
    }
  }
  return values;
}

std::vector<double> coefficients(std::size_t outputs) {
  return random_values(outputs, 10);
}

Evaluation evaluate(const OperationCheck& check, const Values& values, DType type, bool with_gradients) {
  kernels::Stream stream = kernels::CpuStream(1, check.convolutions);
  Arena arena;
  Tape tape;
  const Context context{.stream = stream,
                        .arena = arena,
                        .tape = with_gradients ? &tape : nullptr,
                        .training = check.training,
                        .accumulate = true};
  const LeafMemory leaves(check, values, type, arena);
  const Inputs outputs = check.apply(context, leaves.tensors());

  Evaluation result;
  for (const Tensor& y : outputs) {
    const auto part = values_in(y);
    result.outputs.insert(result.outputs.end(), part.begin(), part.end());
  }
  if (!with_gradients) return result;
  for (const Record& record : tape.records()) {
    result.records.push_back(std::visit([](const auto& concrete) { return concrete.name; }, record));
  }
  seed(outputs, type, arena, coefficients(result.outputs.size()));
  backward(context, tape);
  for (std::size_t i = 0; i < check.leaves.size(); ++i) {
    result.gradients.push_back(LeafMemory::gradient(check.leaves[i], leaves.tensors()[i]));
  }
  return result;
}

void expect_gradients_match_differences(const OperationCheck& check) {
  Values values = values_of(check);
  const Evaluation ours = evaluate(check, values, DType::f64, true);
  for (std::size_t leaf = 0; leaf < check.leaves.size(); ++leaf) {
    if (check.leaves[leaf].kind == Leaf::Kind::statistic) continue;
    const auto& gradient = ours.gradients[leaf];
    double squares = 0;
    for (const double g : gradient) squares += g * g;
    const double rms = std::sqrt(squares / static_cast<double>(gradient.size()));
    EXPECT_GT(rms, 1e-3) << check.leaves[leaf].name << " has no gradient to speak of";
    std::size_t compared = 0;
    const auto places = places_in(gradient.size());
    for (const std::size_t place : places) {
      const auto expected = central_difference(check, values, leaf, place);
      if (!expected) continue;
      ++compared;
      EXPECT_NEAR(gradient[place], *expected, 1e-6 * std::max(std::abs(*expected), rms))
          << check.leaves[leaf].name << " at " << place;
    }
    EXPECT_GE(compared, (places.size() + 1) / 2) << check.leaves[leaf].name << ": too few places away from kinks";
  }
}

void expect_float_matches_double(const OperationCheck& check) {
  const Values values = values_of(check);
  const Evaluation narrow = evaluate(check, values, DType::f32, true);
  const Evaluation wide = evaluate(check, values, DType::f64, true);
  EXPECT_LE(relative_distance(narrow.outputs, wide.outputs), check.float_bound) << "outputs";
  for (std::size_t leaf = 0; leaf < check.leaves.size(); ++leaf) {
    if (check.leaves[leaf].kind == Leaf::Kind::statistic) continue;
    EXPECT_LE(relative_distance(narrow.gradients[leaf], wide.gradients[leaf]), check.float_bound)
        << "gradient of " << check.leaves[leaf].name;
  }
}

}  // namespace plume::nn::tests

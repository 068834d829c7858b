// A whole small network: every parameter's gradient against central differences, float against double, same bits.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "gradient_check.hpp"
#include "small_network.hpp"

namespace plume::nn::tests {
namespace {

constexpr int batch = 3;

double loss_of(const SmallNetwork& network, Tape* tape, int threads = 1, bool accumulate = false) {
  kernels::Stream stream = kernels::CpuStream(threads);
  Arena arena;
  return network.step({.stream = stream, .arena = arena, .tape = tape, .training = true, .accumulate = accumulate},
                      batch);
}

template <class T>
std::vector<double> gradients_of(const SmallNetwork& network) {
  const T* gradients = network.parameters.gradients<T>();
  return {gradients, gradients + network.parameters.flat_size()};
}

TEST(Network, GradientMatchesDifferences) {
  SmallNetwork network(DType::f64);
  Tape tape;
  loss_of(network, &tape);
  constexpr double step = 1e-6;
  for (const ParameterInfo& info : network.parameters.all()) {
    if (info.kind == ParameterKind::statistic) continue;
    double* values = network.parameters.values<double>() + info.offset;
    const double* gradient = network.parameters.gradients<double>() + info.offset;
    std::vector<double> differences;
    for (std::size_t i = 0; i < info.shape.count(); ++i) {
      const double middle = values[i];
      values[i] = middle + step;
      const double above = loss_of(network, nullptr);
      values[i] = middle - step;
      differences.push_back((above - loss_of(network, nullptr)) / (2 * step));
      values[i] = middle;
    }
    // The loss is of size 1 and rounds to 1e-16, so a difference is good to 1e-10 only.
    for (std::size_t i = 0; i < differences.size(); ++i) {
      EXPECT_NEAR(gradient[i], differences[i], 1e-6 * std::abs(differences[i]) + 1e-9) << info.name << " at " << i;
    }
  }
}

TEST(Network, FloatMatchesDouble) {
  SmallNetwork narrow(DType::f32);
  SmallNetwork wide(DType::f64);
  Tape tape;
  const double loss = loss_of(narrow, &tape);
  EXPECT_NEAR(loss, loss_of(wide, &tape), 1e-6 * loss);
  for (const ParameterInfo& info : narrow.parameters.all()) {
    if (info.kind == ParameterKind::statistic) continue;
    const auto list = [&](const Parameters& parameters) {
      const auto tensor = parameters.gradient_to_named(*parameters.find(info.name));
      return std::vector<double>(tensor.values.begin(), tensor.values.end());
    };
    EXPECT_LE(relative_distance(list(narrow.parameters), list(wide.parameters)), 1e-5) << info.name;
  }
}

TEST(Network, ThreadsChangeNoBit) {
  SmallNetwork one(DType::f32);
  Tape tape;
  loss_of(one, &tape, 1);
  for (const int threads : {2, 3}) {
    SmallNetwork several(DType::f32);
    loss_of(several, &tape, threads);
    EXPECT_EQ(std::memcmp(one.parameters.gradients<float>(), several.parameters.gradients<float>(),
                          one.parameters.flat_size() * sizeof(float)),
              0);
  }
}

// Gradients are added: accumulation over micro-batches needs no kernel of its own.
TEST(Network, AStepAddsItsGradientWhereAskedAndWritesItElsewhere) {
  SmallNetwork network(DType::f64);
  Tape tape;
  loss_of(network, &tape);
  const auto once = gradients_of<double>(network);
  loss_of(network, &tape);
  EXPECT_EQ(gradients_of<double>(network), once);
  loss_of(network, &tape, 1, true);
  auto twice = once;
  for (double& value : twice) value *= 2;
  EXPECT_LE(relative_distance(gradients_of<double>(network), twice), 1e-14);
}

}  // namespace
}  // namespace plume::nn::tests

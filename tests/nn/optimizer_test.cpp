// Optimisers over flat parameters against PyTorch's documented formulas, and their state for checkpoints.
#include "nn/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "../random_values.hpp"

namespace plume::nn {
namespace {

using plume::tests::random_values;

constexpr int count = 21;  // not a whole number of cache lines, so that there is a gap behind
constexpr int steps = 7;
constexpr double rate = 0.05;

Parameters some_parameters() {
  Parameters parameters(DType::f64);
  parameters.declare("a.weight", {1, 1, 1, count}, ParameterKind::vector);
  parameters.declare("b.weight", {1, 1, 1, count}, ParameterKind::vector);
  parameters.allocate();
  for (const char* name : {"a.weight", "b.weight"}) {
    const auto values = random_values(count, 1);
    std::copy(values.begin(), values.end(), parameters.tensor(name).data<double>());
  }
  return parameters;
}

void set_gradients(Parameters& parameters, int step) {
  for (const char* name : {"a.weight", "b.weight"}) {
    const auto values = random_values(count, 100 + static_cast<std::uint64_t>(step));
    std::copy(values.begin(), values.end(), parameters.tensor(name).gradient<double>());
  }
}

void run(Optimizer& optimizer, Parameters& parameters, int first, int last) {
  kernels::Stream stream = kernels::CpuStream(1);
  for (int step = first; step < last; ++step) {
    set_gradients(parameters, step);
    optimizer.step(parameters, rate, stream);
  }
}

// update(parameter, gradient, state, step from 1) for one parameter at a time, with two numbers of state.
template <class Update>
void expect_updates(const OptimizerSettings& settings, const Update& update) {
  Parameters parameters = some_parameters();
  Optimizer optimizer(settings, parameters);
  run(optimizer, parameters, 0, steps);
  EXPECT_EQ(optimizer.steps(), steps);
  const auto start = random_values(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    double parameter = start[i];
    double state[2] = {0, 0};
    for (int step = 0; step < steps; ++step) {
      update(parameter, random_values(count, 100 + static_cast<std::uint64_t>(step))[i], state, step + 1);
    }
    for (const char* name : {"a.weight", "b.weight"}) {
      EXPECT_NEAR(parameters.tensor(name).data<double>()[i], parameter, 1e-14);
    }
  }
}

TEST(Optimizer, Adamw) {
  const OptimizerSettings settings{.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-5, .weight_decay = 0.1};
  expect_updates(settings, [](double& p, double g, double(&state)[2], int step) {
    p *= 1 - rate * 0.1;
    state[0] = 0.8 * state[0] + 0.2 * g;
    state[1] = 0.95 * state[1] + 0.05 * g * g;
    const double m = state[0] / (1 - std::pow(0.8, step));
    const double v = state[1] / (1 - std::pow(0.95, step));
    p -= rate * m / (std::sqrt(v) + 1e-5);
  });
}

TEST(Optimizer, SgdWithMomentum) {
  const OptimizerSettings settings{.kind = OptimizerSettings::Kind::sgd, .momentum = 0.9, .weight_decay = 0.1};
  expect_updates(settings, [](double& p, double g, double(&state)[2], int) {
    state[0] = 0.9 * state[0] + g + 0.1 * p;
    p -= rate * state[0];
  });
}

TEST(Optimizer, SgdWithNesterovMomentum) {
  const OptimizerSettings settings{
      .kind = OptimizerSettings::Kind::sgd, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1};
  expect_updates(settings, [](double& p, double g, double(&state)[2], int) {
    const double total = g + 0.1 * p;
    state[0] = 0.9 * state[0] + total;
    p -= rate * (total + 0.9 * state[0]);
  });
}

// The gaps between parameters stay zero, so that norms and checkpoints may run over the whole buffer.
TEST(Optimizer, LeavesTheGapsZero) {
  Parameters parameters = some_parameters();
  Optimizer optimizer({}, parameters);
  run(optimizer, parameters, 0, steps);
  for (std::size_t i = count; i < parameters.find("b.weight")->offset; ++i) {
    EXPECT_EQ(parameters.values<double>()[i], 0);
  }
}

// Both parameters have the same gradients: the norm over all is sqrt(2) times that of one.
TEST(Optimizer, ClipsByTheNormOverAllParameters) {
  const auto gradient = random_values(count, 100);
  double squares = 0;
  for (const double g : gradient) squares += 2 * g * g;
  for (const double share : {0.25, 4.0}) {  // of the norm: above 1 nothing is clipped
    const double clip = share * std::sqrt(squares);
    Parameters parameters = some_parameters();
    Optimizer optimizer({.kind = OptimizerSettings::Kind::sgd, .momentum = 0, .weight_decay = 0, .clip_norm = clip},
                        parameters);
    run(optimizer, parameters, 0, 1);
    const auto start = random_values(count, 1);
    for (const char* name : {"a.weight", "b.weight"}) {
      const double* values = parameters.tensor(name).data<double>();
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_NEAR(values[i], start[i] - rate * std::min(share, 1.0) * gradient[i], 1e-6);
      }
    }
  }
}

TEST(Optimizer, ContinuesFromItsStateWithTheSameBits) {
  for (const auto kind : {OptimizerSettings::Kind::adamw, OptimizerSettings::Kind::sgd}) {
    const OptimizerSettings settings{.kind = kind};
    Parameters whole = some_parameters();
    Optimizer straight(settings, whole);
    run(straight, whole, 0, steps);

    Parameters parts = some_parameters();
    Optimizer before(settings, parts);
    run(before, parts, 0, 3);
    Optimizer after(settings, parts);
    after.set_state(before.state());
    after.set_steps(before.steps());
    run(after, parts, 3, steps);
    EXPECT_TRUE(std::equal(whole.values<double>(), whole.values<double>() + whole.flat_size(), parts.values<double>()));
  }
}

}  // namespace
}  // namespace plume::nn

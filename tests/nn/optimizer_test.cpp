// Optimisers over flat parameters against PyTorch's documented formulas, and their state for checkpoints.
#include "nn/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../expect_error.hpp"
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
    if (parameters.find(name)->frozen) continue;
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

// A matrix and a vector, each with gradients of its own, stepped by definition in f64.
struct Layer {
  std::vector<double> values;
  std::vector<double> first = std::vector<double>(count);
  std::vector<double> second = std::vector<double>(count);
  bool matrix = false;
};

std::vector<double> layer_gradient(bool matrix, int step) {
  return random_values(count, (matrix ? 100 : 200) + static_cast<std::uint64_t>(step));
}

double norm(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

// step(layer, its gradient scaled by the clipping, number of the step from 1)
template <class Step>
void expect_layers(const OptimizerSettings& settings, const Step& step) {
  Parameters parameters(DType::f64);
  parameters.declare("a.weight", {1, 1, 3, count / 3}, ParameterKind::conv_weight);
  parameters.declare("b.weight", {1, 1, 1, count}, ParameterKind::vector);
  parameters.allocate();
  std::vector<Layer> layers(2);
  layers[0].matrix = true;
  for (Layer& layer : layers) {
    layer.values = random_values(count, layer.matrix ? 1 : 2);
    const char* name = layer.matrix ? "a.weight" : "b.weight";
    std::copy(layer.values.begin(), layer.values.end(), parameters.tensor(name).data<double>());
  }
  Optimizer optimizer(settings, parameters);
  kernels::Stream stream = kernels::CpuStream(1);
  for (int i = 1; i <= steps; ++i) {
    double scale = 1;
    if (settings.clip_norm > 0) {
      const double all = std::hypot(norm(layer_gradient(true, i)), norm(layer_gradient(false, i)));
      scale = std::min(1.0, settings.clip_norm / (all + 1e-6));
    }
    for (Layer& layer : layers) {
      auto gradient = layer_gradient(layer.matrix, i);
      const char* name = layer.matrix ? "a.weight" : "b.weight";
      std::copy(gradient.begin(), gradient.end(), parameters.tensor(name).gradient<double>());
      for (double& g : gradient) g *= scale;
      step(layer, gradient, i);
    }
    optimizer.step(parameters, rate, stream);
  }
  for (const Layer& layer : layers) {
    const double* found = parameters.tensor(layer.matrix ? "a.weight" : "b.weight").data<double>();
    for (std::size_t i = 0; i < count; ++i) EXPECT_NEAR(found[i], layer.values[i], 1e-13) << layer.matrix << ' ' << i;
  }
}

// You et al. 2020, algorithm 2, with phi the identity.
TEST(Optimizer, Lamb) {
  for (const double clip : {0.0, 1.0}) {
    const OptimizerSettings settings{.kind = OptimizerSettings::Kind::lamb,
                                     .beta1 = 0.8,
                                     .beta2 = 0.95,
                                     .epsilon = 1e-5,
                                     .weight_decay = 0.1,
                                     .clip_norm = clip};
    expect_layers(settings, [](Layer& layer, const std::vector<double>& gradient, int step) {
      std::vector<double> direction(count);
      for (std::size_t i = 0; i < count; ++i) {
        layer.first[i] = 0.8 * layer.first[i] + 0.2 * gradient[i];
        layer.second[i] = 0.95 * layer.second[i] + 0.05 * gradient[i] * gradient[i];
        const double m = layer.first[i] / (1 - std::pow(0.8, step));
        const double v = layer.second[i] / (1 - std::pow(0.95, step));
        direction[i] = m / (std::sqrt(v) + 1e-5) + (layer.matrix ? 0.1 * layer.values[i] : 0);
      }
      const double trust = layer.matrix ? norm(layer.values) / norm(direction) : 1;
      for (std::size_t i = 0; i < count; ++i) layer.values[i] -= rate * trust * direction[i];
    });
  }
}

// You, Gitman and Ginsburg 2017, algorithm 1, the rate outside of the velocity.
TEST(Optimizer, Lars) {
  for (const double clip : {0.0, 1.0}) {
    const OptimizerSettings settings{
        .kind = OptimizerSettings::Kind::lars, .momentum = 0.9, .weight_decay = 0.1, .trust = 0.02, .clip_norm = clip};
    expect_layers(settings, [](Layer& layer, const std::vector<double>& gradient, int) {
      const double decay = layer.matrix ? 0.1 : 0;
      const double weights = norm(layer.values);
      const double trust = layer.matrix ? 0.02 * weights / (norm(gradient) + decay * weights) : 1;
      for (std::size_t i = 0; i < count; ++i) {
        layer.first[i] = 0.9 * layer.first[i] + trust * (gradient[i] + decay * layer.values[i]);
        layer.values[i] -= rate * layer.first[i];
      }
    });
  }
}

// Weights or gradients without a norm have nothing to be in proportion to.
TEST(Optimizer, LayersOfZerosAreStepped) {
  for (const auto kind : {OptimizerSettings::Kind::lamb, OptimizerSettings::Kind::lars}) {
    Parameters parameters(DType::f64);
    parameters.declare("a.weight", {1, 1, 3, count / 3}, ParameterKind::conv_weight);
    parameters.allocate();
    Optimizer optimizer({.kind = kind}, parameters);
    kernels::Stream stream = kernels::CpuStream(1);
    optimizer.step(parameters, rate, stream);
    EXPECT_TRUE(parameters.finite());
    parameters.tensor("a.weight").gradient<double>()[3] = 1;
    optimizer.step(parameters, rate, stream);
    EXPECT_TRUE(parameters.finite());
    EXPECT_NE(parameters.tensor("a.weight").data<double>()[3], 0);
  }
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
  using Kind = OptimizerSettings::Kind;
  for (const auto kind : {Kind::adamw, Kind::sgd, Kind::lamb, Kind::lars}) {
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

// The average's decay after n updates is n / (n + 9) until it is settings.average; it needs no beginning.
TEST(Optimizer, AveragesWeightsAndStatistics) {
  for (const auto kind : {OptimizerSettings::Kind::adamw, OptimizerSettings::Kind::sgd, OptimizerSettings::Kind::lamb,
                          OptimizerSettings::Kind::lars}) {
    Parameters parameters(DType::f64);
    const auto declare = [](Parameters& of) {
      of.declare("a.weight", {1, 1, 1, count}, ParameterKind::vector);
      of.declare("a.running_mean", {1, 1, 1, count}, ParameterKind::statistic);
      of.allocate();
    };
    declare(parameters);
    Optimizer optimizer({.kind = kind, .average = 0.3}, parameters);
    kernels::Stream stream = kernels::CpuStream(1);
    double weight = 0;
    double statistic = 0;
    for (int step = 0; step < steps; ++step) {
      const double decay = std::min(0.3, step / (step + 9.0));
      std::fill_n(parameters.tensor("a.weight").gradient<double>(), count, 1.0 + step);
      std::fill_n(parameters.tensor("a.running_mean").data<double>(), count, 2.0 * step);
      optimizer.step(parameters, rate, stream);
      weight = decay * weight + (1 - decay) * parameters.tensor("a.weight").data<double>()[3];
      statistic = decay * statistic + (1 - decay) * 2.0 * step;
    }
    Parameters averaged(DType::f64);
    declare(averaged);
    optimizer.average_into(averaged);
    EXPECT_NEAR(averaged.tensor("a.weight").data<double>()[3], weight, 1e-14);
    EXPECT_NEAR(averaged.tensor("a.running_mean").data<double>()[3], statistic, 1e-14);
    EXPECT_NE(weight, parameters.tensor("a.weight").data<double>()[3]);
  }
}

// What is frozen stays, to the bit, and has no part in the norm that gradients are clipped to.
TEST(Optimizer, FreezesByName) {
  for (const auto kind : {OptimizerSettings::Kind::adamw, OptimizerSettings::Kind::sgd, OptimizerSettings::Kind::lamb,
                          OptimizerSettings::Kind::lars}) {
    Parameters parameters = some_parameters();
    Parameters whole = some_parameters();
    const auto before = random_values(count, 1);
    parameters.freeze({"a.*"});
    Optimizer optimizer({.kind = kind, .clip_norm = 0.1}, parameters);
    run(optimizer, parameters, 0, steps);
    const auto* frozen = parameters.tensor("a.weight").data<double>();
    const auto* trained = parameters.tensor("b.weight").data<double>();
    EXPECT_TRUE(std::equal(before.begin(), before.end(), frozen));
    EXPECT_FALSE(std::equal(before.begin(), before.end(), trained));
    // As if there were no other parameter.
    Parameters alone(DType::f64);
    alone.declare("b.weight", {1, 1, 1, count}, ParameterKind::vector);
    alone.allocate();
    std::copy(before.begin(), before.end(), alone.tensor("b.weight").data<double>());
    Optimizer of_one({.kind = kind, .clip_norm = 0.1}, alone);
    kernels::Stream stream = kernels::CpuStream(1);
    for (int step = 0; step < steps; ++step) {
      const auto values = random_values(count, 100 + static_cast<std::uint64_t>(step));
      std::copy(values.begin(), values.end(), alone.tensor("b.weight").gradient<double>());
      of_one.step(alone, rate, stream);
    }
    EXPECT_TRUE(std::equal(trained, trained + count, alone.tensor("b.weight").data<double>()));
  }
}

TEST(Optimizer, RefusesToFreezeNothingOrAll) {
  const auto freeze = [](const char* name) { some_parameters().freeze({name}); };
  plume::tests::expect_input_error([&] { freeze("c*"); }, "c*", "a.weight");
  plume::tests::expect_input_error([&] { freeze("*.weight"); }, "no parameter to train");
  plume::tests::expect_input_error([&] { freeze("a"); }, "no parameter is called a;");
}

// One bad step costs nothing but itself.
TEST(Optimizer, GradientsThatAreNotFiniteChangeNothing) {
  for (const auto kind : {OptimizerSettings::Kind::adamw, OptimizerSettings::Kind::sgd, OptimizerSettings::Kind::lamb,
                          OptimizerSettings::Kind::lars}) {
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
      Parameters parameters = some_parameters();
      Optimizer optimizer({.kind = kind, .average = 0.9}, parameters);
      run(optimizer, parameters, 0, 2);
      EXPECT_TRUE(optimizer.finite());
      const auto* values = parameters.tensor("a.weight").data<double>();
      const std::vector<double> before(values, values + count);
      const auto state = optimizer.state();
      set_gradients(parameters, 2);
      parameters.tensor("b.weight").gradient<double>()[4] = bad;
      kernels::Stream stream = kernels::CpuStream(1);
      optimizer.step(parameters, rate, stream);
      EXPECT_FALSE(optimizer.finite());
      EXPECT_TRUE(std::equal(before.begin(), before.end(), values));
      for (std::size_t i = 0; i < state.size(); ++i)
        EXPECT_EQ(optimizer.state()[i].bytes, state[i].bytes) << state[i].name;
    }
  }
}

}  // namespace
}  // namespace plume::nn

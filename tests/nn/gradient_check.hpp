// Runs an operation on given values, with its gradient, so that the gradient can be held against central differences and
// float against double.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../relative_distance.hpp"
#include "kernels/base/dtype.hpp"
#include "kernels/stream.hpp"
#include "nn/context.hpp"
#include "nn/tensor.hpp"

namespace plume::nn::tests {

// An argument of the operation under test.
struct Leaf {
  enum class Kind { image, parameter, statistic };  // a statistic has no gradient
  std::string name;
  Shape shape;
  Kind kind = Kind::image;
  double low = -1;
  double high = 1;
  bool distinct = false;  // values at least 0.01 apart, so that no step of a difference turns a maximum into another
};

using Leaves = std::vector<Tensor>;
using Values = std::vector<std::vector<double>>;  // by leaf

struct OperationCheck {
  std::string operation;
  std::string name;  // of this variant
  std::vector<Leaf> leaves;
  std::function<Inputs(const Context&, const Leaves&)> apply;
  bool training = false;
  double float_bound = 0;  // relative L2 of outputs and gradients in float against double
  kernels::ConvPolicy convolutions = kernels::ConvPolicy::automatic;
};

struct Evaluation {
  std::vector<double> outputs;
  Values gradients;                       // of sum(coefficient * output), with the fixed coefficients below
  std::vector<std::string_view> records;  // names of what was put on the tape
};

[[nodiscard]] Values values_of(const OperationCheck& check);
[[nodiscard]] std::vector<double> coefficients(std::size_t outputs);
// Gradients and records only where asked for.
[[nodiscard]] Evaluation evaluate(const OperationCheck& check, const Values& values, DType type, bool with_gradients);

// Fails where the gradient of an argument, at all or 40 random places, differs from a central difference by more than
// 1e-6 of the larger of that entry and the argument's root mean square.
void expect_gradients_match_differences(const OperationCheck& check);

// Fails where an output or gradient in float is further from double than the check's bound.
void expect_float_matches_double(const OperationCheck& check);

using plume::tests::relative_distance;

}  // namespace plume::nn::tests

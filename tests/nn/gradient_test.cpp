// Every operation's gradient against central differences, for every argument, and float against double; and that no
// operation goes without.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <variant>

#include "nn/records.hpp"
#include "nn/tape.hpp"
#include "operation_checks.hpp"

namespace plume::nn::tests {
namespace {

class Operation : public testing::TestWithParam<std::string> {
 protected:
  // body(check) for every row of the operation.
  void for_rows(const std::function<void(const OperationCheck&)>& body) {
    for (const OperationCheck& check : operation_checks()) {
      if (check.operation != GetParam()) continue;
      SCOPED_TRACE(check.name);
      body(check);
    }
  }
};

TEST_P(Operation, GradientMatchesDifferences) {
  for_rows(expect_gradients_match_differences);
}
TEST_P(Operation, FloatMatchesDouble) {
  for_rows(expect_float_matches_double);
}

INSTANTIATE_TEST_SUITE_P(, Operation, testing::ValuesIn(checked_operations()),
                         [](const auto& instance) { return instance.param; });

TEST(ConvolutionAlgorithms, GradientsMatchDifferences) {
  for (const auto policy :
       {kernels::ConvPolicy::direct, kernels::ConvPolicy::winograd_f2, kernels::ConvPolicy::winograd_f4}) {
    for (OperationCheck check : operation_checks()) {
      if (check.operation != ConvRecord::name) continue;
      SCOPED_TRACE(check.name);
      check.convolutions = policy;
      expect_gradients_match_differences(check);
    }
  }
}

template <std::size_t... i>
std::set<std::string_view> names_of_all_records(std::index_sequence<i...>) {
  return {std::variant_alternative_t<i, Record>::name...};
}

// The first arguments that a record was checked with.
struct Coverage {
  std::set<int> batches;
  std::set<bool> odd_heights;
  std::set<bool> odd_widths;
  std::set<bool> several_channels;
};

// Fails when an operation is added to Record without rows in the table, or with rows of too few sizes.
TEST(OperationChecks, CoverEveryOperation) {
  std::map<std::string_view, Coverage> coverage;
  for (const OperationCheck& check : operation_checks()) {
    const Shape& shape = check.leaves[0].shape;
    for (const std::string_view name : evaluate(check, values_of(check), DType::f64, true).records) {
      Coverage& covered = coverage[name];
      covered.batches.insert(shape.n);
      covered.odd_heights.insert(shape.h % 2 == 1);
      covered.odd_widths.insert(shape.w % 2 == 1);
      covered.several_channels.insert(shape.c > 1);
    }
  }
  constexpr std::size_t count = std::variant_size_v<Record>;
  const auto names = names_of_all_records(std::make_index_sequence<count>{});
  EXPECT_EQ(names.size(), count) << "two records share a name";
  const std::set<bool> both{false, true};
  for (const std::string_view name : names) {
    SCOPED_TRACE(name);
    const Coverage& covered = coverage[name];
    EXPECT_EQ(covered.batches, (std::set{1, 3}));
    EXPECT_EQ(covered.odd_heights, both);
    EXPECT_EQ(covered.odd_widths, both);
    // Of one channel, softmax is constant.
    EXPECT_EQ(covered.several_channels, name == SoftmaxRecord::name ? std::set{true} : both);
  }
}

// So that the checks above mean something: a gradient that is wrong by one part in a thousand is seen.
TEST(OperationChecks, SeeAWrongGradient) {
  OperationCheck check = operation_checks().front();
  const auto right = check.apply;
  check.apply = [&](const Context& context, const Leaves& leaves) {
    if (context.tape == nullptr) return right(context, leaves);
    Inputs outputs = right(context, leaves);
    auto& record = std::get<ConvRecord>(context.tape->records().back());
    record.weight.data<double>()[0] *= 1.001;
    return outputs;
  };
  const Values values = values_of(check);
  const auto wrong = evaluate(check, values, DType::f64, true).gradients[0];
  check.apply = right;
  EXPECT_GT(relative_distance(wrong, evaluate(check, values, DType::f64, true).gradients[0]), 1e-4);
}

}  // namespace
}  // namespace plume::nn::tests

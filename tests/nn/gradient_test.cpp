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

template <std::size_t... i>
std::set<std::string_view> names_of_all_records(std::index_sequence<i...>) {
  return {std::variant_alternative_t<i, Record>::name...};
}

// Fails when an operation is added to Record without rows in the table.
TEST(OperationChecks, CoverEveryOperation) {
  std::map<std::string_view, std::set<int>> batches;  // that each record was checked with
  for (const OperationCheck& check : operation_checks()) {
    for (const std::string_view name : evaluate(check, values_of(check), DType::f64, true).records) {
      batches[name].insert(check.leaves[0].shape.n);
    }
  }
  constexpr std::size_t count = std::variant_size_v<Record>;
  const auto names = names_of_all_records(std::make_index_sequence<count>{});
  EXPECT_EQ(names.size(), count) << "two records share a name";
  for (const std::string_view name : names)
    EXPECT_EQ(batches[name], (std::set{1, 3})) << name << " lacks gradient checks";
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

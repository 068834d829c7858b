// The table of what is checked of every operation: odd and even sizes, one and several channels, batches of 1 and 3.
#pragma once

#include <vector>

#include "gradient_check.hpp"

namespace plume::nn::tests {

[[nodiscard]] const std::vector<OperationCheck>& operation_checks();
// Each once, in the table's order.
[[nodiscard]] std::vector<std::string> checked_operations();

}  // namespace plume::nn::tests

// What hosting costs, to warn by: SageMaker itself says nothing of it before the bill.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/sagemaker/client.hpp"

namespace plume::cloud {

// Of which list; regions differ, and so may your contract.
inline constexpr std::string_view prices_are_of = "us-east-1, October 2025";

// US dollars per hour and machine; nothing: not in plume's table.
[[nodiscard]] std::optional<double> hourly_price(std::string_view instance);

// Of machines that run whether they are asked or not; nothing where one's price is not known. Serverless variants cost
// only while they compute.
[[nodiscard]] std::optional<double> hourly_cost(const std::vector<VariantState>& variants);

// "1.41 $/h (an estimate by the prices of us-east-1, October 2025)"
[[nodiscard]] std::string cost_text(const std::vector<VariantState>& variants);

}  // namespace plume::cloud

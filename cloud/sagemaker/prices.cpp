// The public list, https://aws.amazon.com/sagemaker/pricing/, for the machines that suit plume-infer.
#include "cloud/sagemaker/prices.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

namespace plume::cloud {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 29> prices{
    {{"ml.c5.large", 0.102},    {"ml.c5.xlarge", 0.204},    {"ml.c5.2xlarge", 0.408},    {"ml.c5.4xlarge", 0.816},
     {"ml.c5.9xlarge", 1.836},  {"ml.g4dn.xlarge", 0.736},  {"ml.g4dn.2xlarge", 0.94},   {"ml.g4dn.4xlarge", 1.505},
     {"ml.g4dn.8xlarge", 2.72}, {"ml.g4dn.12xlarge", 4.89}, {"ml.g4dn.16xlarge", 5.44},  {"ml.g5.xlarge", 1.408},
     {"ml.g5.2xlarge", 1.515},  {"ml.g5.4xlarge", 2.03},    {"ml.g5.8xlarge", 3.06},     {"ml.g5.12xlarge", 7.09},
     {"ml.g5.16xlarge", 5.12},  {"ml.g5.24xlarge", 10.18},  {"ml.g5.48xlarge", 20.36},   {"ml.g6.xlarge", 1.127},
     {"ml.g6.2xlarge", 1.222},  {"ml.m5.large", 0.115},     {"ml.m5.xlarge", 0.23},      {"ml.m5.2xlarge", 0.461},
     {"ml.m5.4xlarge", 0.922},  {"ml.p3.2xlarge", 3.825},   {"ml.p4d.24xlarge", 37.688}, {"ml.t2.medium", 0.056},
     {"ml.t2.large", 0.111}}};

}  // namespace

std::optional<double> hourly_price(std::string_view instance) {
  const auto found =
      std::find_if(prices.begin(), prices.end(), [&](const auto& entry) { return entry.first == instance; });
  return found == prices.end() ? std::nullopt : std::optional(found->second);
}

std::optional<double> hourly_cost(const std::vector<VariantState>& variants) {
  double cost = 0;
  for (const VariantState& variant : variants) {
    if (variant.serverless_memory > 0) continue;
    const auto price = hourly_price(variant.instance);
    if (!price) return std::nullopt;
    cost += *price * std::max(variant.current_count, variant.desired_count);
  }
  return cost;
}

std::string cost_text(const std::vector<VariantState>& variants) {
  const bool serverless = std::all_of(variants.begin(), variants.end(),
                                      [](const VariantState& variant) { return variant.serverless_memory > 0; });
  if (serverless) return "nothing while it is not asked (serverless)";
  if (const auto cost = hourly_cost(variants))
    return fmt::format("{:.2f} $/h (an estimate by the prices of {})", *cost, prices_are_of);
  return "an amount per hour that plume does not know: see aws.amazon.com/sagemaker/pricing";
}

}  // namespace plume::cloud

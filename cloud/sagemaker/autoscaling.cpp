// Target tracking on invocations per instance.
#include "cloud/sagemaker/autoscaling.hpp"

#include <nlohmann/json.hpp>

#include "cloud/protocols/json.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

constexpr const char* prefix = "AnyScaleFrontendService";

Json scalable(const std::string& endpoint, const std::string& variant) {
  return {{"ServiceNamespace", "sagemaker"},
          {"ResourceId", fmt::format("endpoint/{}/variant/{}", endpoint, variant)},
          {"ScalableDimension", "sagemaker:variant:DesiredInstanceCount"}};
}

}  // namespace

void AutoScaling::set(const ScalingTarget& target) {
  Json registration = scalable(target.endpoint, target.variant);
  registration["MinCapacity"] = target.least;
  registration["MaxCapacity"] = target.most;
  static_cast<void>(json_call(client_, endpoint_, prefix, "RegisterScalableTarget", registration));
  Json policy = scalable(target.endpoint, target.variant);
  policy["PolicyName"] = "plume-invocations";
  policy["PolicyType"] = "TargetTrackingScaling";
  policy["TargetTrackingScalingPolicyConfiguration"] = {
      {"TargetValue", target.invocations},
      {"PredefinedMetricSpecification", {{"PredefinedMetricType", "SageMakerVariantInvocationsPerInstance"}}}};
  static_cast<void>(json_call(client_, endpoint_, prefix, "PutScalingPolicy", policy));
}

void AutoScaling::remove(const std::string& endpoint, const std::string& variant) {
  try {
    static_cast<void>(
        json_call(client_, endpoint_, prefix, "DeregisterScalableTarget", scalable(endpoint, variant), true));
  } catch (const Error& error) {
    const bool missing = error.code() == "ObjectNotFoundException" ||
                         std::string_view(error.what()).find("No scalable target found") != std::string_view::npos;
    if (!missing) throw;
  }
}

}  // namespace plume::cloud

// Delete, and describe until nothing answers.
#include "cloud/sagemaker/remove.hpp"

namespace plume::cloud {

void remove_and_wait(SageMaker& sagemaker, const Resource& resource, const WaitOptions& options) {
  const bool endpoint = resource.kind == ResourceKind::endpoint;
  try {
    sagemaker.remove(resource, options.even_when_cancelled);
  } catch (const Error& error) {
    const bool busy = error.failure() == Failure::conflict || error.failure() == Failure::usage;
    if (!endpoint || !busy) throw;
    static_cast<void>(wait_at_rest(sagemaker, resource.name, options));
    sagemaker.remove(resource, options.even_when_cancelled);
  }
  if (endpoint) {
    wait_deleted(sagemaker, resource.name, options);
  } else if (sagemaker.exists(resource, options.even_when_cancelled)) {
    throw cloud_error(Failure::remains, "{} {} was to be deleted and is there", name_of(resource.kind), resource.name);
  }
}

std::optional<std::string> arn_of(SageMaker& sagemaker, const Resource& resource) {
  if (resource.kind == ResourceKind::endpoint) {
    const auto state = sagemaker.find_endpoint(resource.name, true);
    return state ? std::optional(state->arn) : std::nullopt;
  }
  const bool model = resource.kind == ResourceKind::model;
  const auto reply = model ? sagemaker.find_model(resource.name, true) : sagemaker.find_config(resource.name, true);
  return reply ? std::optional(reply->value(model ? "ModelArn" : "EndpointConfigArn", "")) : std::nullopt;
}

}  // namespace plume::cloud

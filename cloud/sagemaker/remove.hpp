// Removing one thing, and being sure of it.
#pragma once

#include <optional>
#include <string>

#include "cloud/sagemaker/wait.hpp"

namespace plume::cloud {

// Returns when it has gone. An endpoint that is on its way somewhere cannot be deleted: its arrival is waited for.
// Throws as SageMaker::remove and wait_deleted.
void remove_and_wait(SageMaker& sagemaker, const Resource& resource, const WaitOptions& options);

// Nothing where it does not exist.
[[nodiscard]] std::optional<std::string> arn_of(SageMaker& sagemaker, const Resource& resource);

}  // namespace plume::cloud

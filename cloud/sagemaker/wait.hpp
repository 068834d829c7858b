// Until an endpoint is where it is going.
#pragma once

#include <chrono>
#include <functional>

#include "cloud/sagemaker/client.hpp"

namespace plume::cloud {

struct WaitOptions {
  std::chrono::milliseconds poll{30'000};
  std::chrono::milliseconds timeout{std::chrono::hours(1)};
  // Gets each status that is seen, and how long it has been waited for.
  std::function<void(const EndpointState&, std::chrono::seconds)> progress{};
  bool even_when_cancelled = false;
};

// InService. Throws cloud::Error: failed with SageMaker's reason, not_found where the endpoint has gone, timeout.
EndpointState wait_in_service(SageMaker& sagemaker, const std::string& endpoint, const WaitOptions& options);

// No longer in motion; nothing: it is gone. Throws cloud::Error (timeout).
std::optional<EndpointState> wait_at_rest(SageMaker& sagemaker, const std::string& endpoint,
                                          const WaitOptions& options);

// Gone. Throws cloud::Error: failed where it cannot be deleted, timeout.
void wait_deleted(SageMaker& sagemaker, const std::string& endpoint, const WaitOptions& options);

}  // namespace plume::cloud

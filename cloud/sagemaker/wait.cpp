// One loop: describe, sleep.
#include "cloud/sagemaker/wait.hpp"

#include <algorithm>

namespace plume::cloud {
namespace {

// A service's bad minute is no reason to give up what it is still working at.
constexpr int most_failures = 5;  // one after the other

}  // namespace

std::optional<EndpointState> wait_at_rest(SageMaker& sagemaker, const std::string& endpoint,
                                          const WaitOptions& options) {
  const Clock& clock = sagemaker.clock();
  const std::atomic<bool>* const cancelled = options.even_when_cancelled ? nullptr : sagemaker.cancelled();
  const Time begin = clock.now();
  std::string status = "unknown";
  int failures = 0;
  while (true) {
    try {
      auto state = sagemaker.find_endpoint(endpoint, options.even_when_cancelled);
      if (state && options.progress) options.progress(*state, clock.now() - begin);
      if (!state || !state->in_motion()) return state;
      status = state->status;
      failures = 0;
    } catch (const Error& error) {
      const bool bad_moment = error.failure() == Failure::unavailable || error.failure() == Failure::timeout;
      if (!bad_moment || ++failures == most_failures) throw;
    }
    const std::chrono::seconds waited = clock.now() - begin;
    if (waited >= options.timeout)
      throw cloud_error(Failure::timeout, "endpoint {} is still {} after {} s", endpoint, status, waited.count());
    clock.sleep(std::min<std::chrono::milliseconds>(options.poll, options.timeout - waited), cancelled);
    if (cancelled != nullptr && cancelled->load())
      throw cloud_error(Failure::unavailable, "endpoint {}: stopped by a signal while it was {}", endpoint, status);
  }
}

EndpointState wait_in_service(SageMaker& sagemaker, const std::string& endpoint, const WaitOptions& options) {
  auto state = wait_at_rest(sagemaker, endpoint, options);
  if (!state) throw cloud_error(Failure::not_found, "endpoint {} does not exist", endpoint);
  if (!state->in_service())
    throw cloud_error(Failure::failed, "endpoint {} is {}: {}", endpoint, state->status,
                      state->failure_reason.empty() ? "SageMaker gives no reason" : state->failure_reason);
  return *std::move(state);
}

void wait_deleted(SageMaker& sagemaker, const std::string& endpoint, const WaitOptions& options) {
  if (const auto state = wait_at_rest(sagemaker, endpoint, options))
    throw cloud_error(Failure::failed, "endpoint {} was to be deleted and is {}", endpoint, state->status);
}

}  // namespace plume::cloud

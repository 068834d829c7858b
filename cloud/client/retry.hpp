// When a request is tried again, and how long to wait: what AWS's clients call the standard mode.
// Source: AWS SDKs and Tools Reference Guide, "Retry behavior".
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "cloud/http/transport.hpp"
#include "cloud/protocols/service_error.hpp"
#include "cloud/signing/time.hpp"

namespace plume::cloud {

enum class Fault {
  lasting,    // the same request would fail again
  transient,  // a server's or connection's bad moment
  timeout,
  throttled,  // too many requests
};

[[nodiscard]] Fault fault_of(const ServiceError& error);
[[nodiscard]] Fault fault_of(const TransportError& error);

// Before the n-th retry, from 1: a random share of 50 ms (throttled: 1 s) doubled each time, up to 20 s.
[[nodiscard]] std::chrono::milliseconds backoff(int retry, Fault fault, double random);

// What the server asks for, by x-amz-retry-after (milliseconds) or Retry-After (seconds, a date).
[[nodiscard]] std::optional<std::chrono::milliseconds> asked_delay(const HttpResponse& response, Time now);

// Shared by all requests of a client, so that a service in trouble does not get all of them several times over: what
// retries cost comes back with success.
class RetryQuota {
 public:
  // False: spent.
  [[nodiscard]] bool take(Fault fault);
  // After a success whose last retry was for `fault`; Fault::lasting: there was none.
  void give_back(Fault fault);

 private:
  static int cost(Fault fault) { return fault == Fault::timeout ? 10 : 5; }
  static constexpr int most = 500;
  std::mutex mutex_;
  int tokens_ = most;
};

}  // namespace plume::cloud

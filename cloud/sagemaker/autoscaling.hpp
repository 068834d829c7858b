// Application Auto Scaling: as many machines as an endpoint's requests need.
// Source: Application Auto Scaling API Reference, 2016-02-06.
#pragma once

#include <string>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

struct ScalingTarget {
  std::string endpoint;
  std::string variant;
  int least = 1;
  int most = 1;
  double invocations = 0;  // per machine and minute, which the number of machines is to keep
};

class AutoScaling {
 public:
  // `client` outlives it.
  AutoScaling(ServiceClient& client, Endpoint endpoint) : client_(client), endpoint_(std::move(endpoint)) {}

  // Registers the variant, and a policy that keeps to the target. Both replace what was there.
  void set(const ScalingTarget& target);
  // One that is not registered is fine.
  void remove(const std::string& endpoint, const std::string& variant);

 private:
  ServiceClient& client_;
  Endpoint endpoint_;
};

}  // namespace plume::cloud

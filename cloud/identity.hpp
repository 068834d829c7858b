// Who one is to AWS, and what its roles are there for.
// Source: AWS Security Token Service API Reference, 2011-06-15; IAM API Reference, 2010-05-08.
#pragma once

#include <optional>
#include <string>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

struct CallerIdentity {
  std::string account;
  std::string arn;
};
[[nodiscard]] CallerIdentity caller_identity(ServiceClient& client, const Endpoint& sts_endpoint);

// Whether a service, sagemaker.amazonaws.com, may take on a role. Throws cloud::Error, not_found where there is no such
// role. `name` is the last part of its ARN.
[[nodiscard]] bool role_serves(ServiceClient& client, const Endpoint& iam_endpoint, const std::string& name,
                               const std::string& service);

// IAM is one for all regions of a partition; signed for in us-east-1.
[[nodiscard]] EndpointChoice iam_choice(EndpointChoice choice);

}  // namespace plume::cloud

// Calls of the protocol awsJson1.1, which SageMaker and application autoscaling speak: a document there, one back.
// Source: the Smithy specification, "AWS JSON 1.1 protocol".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

// `service` is what stands before the operation in X-Amz-Target: SageMaker. An empty reply is an empty object.
// Throws as ServiceClient::call, and cloud::Error (unavailable) where the reply is no JSON.
[[nodiscard]] nlohmann::json json_call(ServiceClient& client, const Endpoint& endpoint, const std::string& service,
                                       const std::string& operation, const nlohmann::json& input);

}  // namespace plume::cloud

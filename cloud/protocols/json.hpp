// Documents in JSON, and calls of the protocol awsJson1.1, which SageMaker and application autoscaling speak: a
// document there, one back.
// Source: the Smithy specification, "AWS JSON 1.1 protocol".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cloud/protocols/outgoing.hpp"

namespace plume::cloud {

// A value as it is sent: members under their wire names, bytes in base64, times as `usual` (seconds) or as their shape
// says. Null members are left out, and so is what is placed elsewhere than in the body.
[[nodiscard]] nlohmann::json to_document(const nlohmann::json& value, const Shape& shape,
                                         TimeFormat usual = TimeFormat::seconds);
// The way back; members that the shape does not have are left out.
[[nodiscard]] nlohmann::json from_document(const nlohmann::json& document, const Shape& shape);

// `service` is what stands before the operation in X-Amz-Target: SageMaker. Documents are as they are sent; an empty
// reply is an empty object. Throws as ServiceClient::call, and cloud::Error (unavailable) where the reply is no JSON.
[[nodiscard]] nlohmann::json json_call(ServiceClient& client, const Endpoint& endpoint, const std::string& service,
                                       const std::string& operation, const nlohmann::json& input,
                                       bool even_when_cancelled = false, const OperationTraits& traits = {});

// A reply's body; `what` for the message where it is no JSON.
[[nodiscard]] nlohmann::json parse_document(const std::string& what, const std::string& body);

}  // namespace plume::cloud

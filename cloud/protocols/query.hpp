// Calls of the query protocol, which STS and IAM speak: a form there, XML back.
// Source: the Smithy specification, "AWS query protocol".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cloud/protocols/form.hpp"
#include "cloud/protocols/outgoing.hpp"

namespace plume::cloud {

struct QueryOperation {
  std::string name;
  std::string version;
  Shape input{};
  Shape output{};
  OperationTraits traits{};
};

// The form that is sent.
[[nodiscard]] std::string query_form(const QueryOperation& operation, const nlohmann::json& input);

// Of a reply of 2xx. Throws cloud::Error (unavailable) where its body is no XML.
[[nodiscard]] nlohmann::json query_reply(const QueryOperation& operation, const std::string& body);

// `what` for messages. Throws as query_reply and ServiceClient::call.
[[nodiscard]] nlohmann::json query_call(ServiceClient& client, const Endpoint& endpoint, const std::string& what,
                                        const QueryOperation& operation, const nlohmann::json& input);

}  // namespace plume::cloud

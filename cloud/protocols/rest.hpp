// Calls of the protocols restJson and restXml: a value's members go into path, query, headers and body, each to its
// place, and come back from a reply's status, headers and body.
// Source: the Smithy specification, "HTTP binding traits", "AWS restJson1 protocol", "AWS restXml protocol".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cloud/protocols/outgoing.hpp"

namespace plume::cloud {

enum class DocumentFormat { json, xml };

struct RestOperation {
  std::string name;
  std::string method;
  std::string uri;  // "/functions/{FunctionName}/invocations?constant=1"; {name+} may hold slashes
  Shape input{};
  Shape output{};
  DocumentFormat format = DocumentFormat::json;
  std::string xml_name{};  // of the element around the input's members; empty: name + "Request"
  OperationTraits traits{};
};

// What is sent but for the endpoint; the body is apart, for a ServiceRequest only points to it.
struct RestRequest {
  std::string path;
  std::string query;
  Headers headers;
  std::optional<std::string> body;  // nothing: none
};

// Throws cloud::Error (usage) where a label of the path is missing or empty.
[[nodiscard]] RestRequest rest_request(const RestOperation& operation, const nlohmann::json& input);

// Of a reply of 2xx. Throws cloud::Error (unavailable) where its body is no such document.
[[nodiscard]] nlohmann::json rest_reply(const RestOperation& operation, const HttpResponse& response);

// `what` for messages; empty: the operation's name.
struct RestCall {
  const RestOperation& operation;
  std::string what{};
  std::optional<Timeouts> timeouts{};
  bool even_when_cancelled = false;
};
// The last attempt's reply, whatever its status; throws as rest_request and ServiceClient::answer.
[[nodiscard]] HttpResponse rest_answer(ServiceClient& client, const Endpoint& endpoint, const RestCall& call,
                                       const nlohmann::json& input);
// What it says; throws as rest_answer, rest_reply and ServiceClient::call.
[[nodiscard]] nlohmann::json rest_call(ServiceClient& client, const Endpoint& endpoint, const RestCall& call,
                                       const nlohmann::json& input);

}  // namespace plume::cloud

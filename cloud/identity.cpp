// Calls of the query protocol.
#include "cloud/identity.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cloud/protocols/query.hpp"
#include "cloud/signing/percent.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

const Shape role_shape{.members = {{"Arn", &string_shape}, {"AssumeRolePolicyDocument", &string_shape}}};

bool names(const Json& principal, const std::string& service) {
  if (principal.is_string()) return principal == "*" || principal == service;
  if (!principal.is_array()) return false;
  return std::find(principal.begin(), principal.end(), Json(service)) != principal.end();
}

bool allows(const Json& statement, const std::string& service) {
  if (!statement.is_object() || statement.value("Effect", "") != "Allow" || !statement.contains("Principal"))
    return false;
  const Json& principal = statement["Principal"];
  return names(principal.is_object() ? principal.value("Service", Json()) : principal, service);
}

}  // namespace

CallerIdentity caller_identity(ServiceClient& client, const Endpoint& sts_endpoint) {
  static const QueryOperation operation{.name = "GetCallerIdentity",
                                        .version = "2011-06-15",
                                        .output = {.members = {{"Account", &string_shape}, {"Arn", &string_shape}}}};
  const Json reply = query_call(client, sts_endpoint, operation.name, operation, Json::object());
  return {reply.value("Account", ""), reply.value("Arn", "")};
}

bool role_serves(ServiceClient& client, const Endpoint& iam_endpoint, const std::string& name,
                 const std::string& service) {
  static const QueryOperation operation{.name = "GetRole",
                                        .version = "2010-05-08",
                                        .input = {.members = {{"RoleName", &string_shape}}},
                                        .output = {.members = {{"Role", &role_shape}}}};
  const Json reply = query_call(client, iam_endpoint, "GetRole " + name, operation, {{"RoleName", name}});
  const std::string text = reply.value("Role", Json::object()).value("AssumeRolePolicyDocument", "");
  const Json policy = Json::parse(percent_decode(text), nullptr, false);
  if (!policy.is_object() || !policy.contains("Statement")) return false;
  const Json& statements = policy["Statement"];
  if (statements.is_object()) return allows(statements, service);
  return std::any_of(statements.begin(), statements.end(),
                     [&](const Json& statement) { return allows(statement, service); });
}

EndpointChoice iam_choice(EndpointChoice choice) {
  if (choice.custom.empty()) choice.region = "aws-global";
  return choice;
}

}  // namespace plume::cloud

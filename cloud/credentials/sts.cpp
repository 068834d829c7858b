// AssumeRole, and AssumeRoleWithWebIdentity, which nobody signs.
#include <nlohmann/json.hpp>

#include "cloud/client/service_client.hpp"
#include "cloud/credentials/sources.hpp"
#include "cloud/endpoints/arn.hpp"
#include "cloud/protocols/query.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

const Shape keys_shape{.members = {{"AccessKeyId", &string_shape},
                                   {"SecretAccessKey", &string_shape},
                                   {"SessionToken", &string_shape},
                                   {"Expiration", &timestamp_shape}}};
const Shape user_shape{.members = {{"Arn", &string_shape}}};

QueryOperation assume_operation(const char* name) {
  return {.name = name,
          .version = "2011-06-15",
          .input = {.members = {{"RoleArn", &string_shape},
                                {"RoleSessionName", &string_shape},
                                {"WebIdentityToken", &string_shape},
                                {"ExternalId", &string_shape},
                                {"DurationSeconds", &string_shape}}},
          .output = {.members = {{"Credentials", &keys_shape}, {"AssumedRoleUser", &user_shape}}}};
}

class GivenKeys final : public CredentialSource {
 public:
  explicit GivenKeys(Credentials keys) : keys_(std::move(keys)) {}
  Credentials get(bool) override { return keys_; }

 private:
  Credentials keys_;
};

Credentials credentials_of(const std::string& what, Json reply, const Role& role) {
  Json& keys = reply["Credentials"];
  const auto take = [&](const char* name) {
    return keys.contains(name) ? std::move(keys[name].get_ref<std::string&>()) : std::string();
  };
  Credentials credentials;
  credentials.access_key_id = take("AccessKeyId");
  credentials.secret_access_key = Secret::take(take("SecretAccessKey"));
  credentials.session_token = Secret::take(take("SessionToken"));
  if (keys.contains("Expiration") && keys["Expiration"].is_number())
    credentials.expires = Time(std::chrono::seconds(keys["Expiration"].get<long>()));
  credentials.source = fmt::format("role {}", role.arn);
  if (const auto arn = parse_arn(reply.value("AssumedRoleUser", Json::object()).value("Arn", "")))
    credentials.account_id = arn->account;
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    throw cloud_error(Failure::credentials, "{}: the answer holds no keys", what);
  return credentials;
}

}  // namespace

Credentials assume_role(const Config& config, const Role& role, const Credentials* base) {
  const bool web = base == nullptr;
  const Surroundings& surroundings = config.surroundings();
  Json input{{"RoleArn", role.arn}, {"RoleSessionName", role.session_name}};
  if (role.session_name.empty())
    input["RoleSessionName"] = fmt::format("plume-{}", surroundings.clock.now().time_since_epoch().count());
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) input[name] = value;
  };
  add("WebIdentityToken", role.web_identity);
  add("ExternalId", role.external_id);
  add("DurationSeconds", role.duration);
  EndpointChoice choice = config.endpoint_choice(sts);
  if (choice.region.empty()) choice.region = "us-east-1";

  std::optional<GivenKeys> keys;
  if (!web) keys.emplace(*base);
  ServiceClient client(*surroundings.transport, keys ? &*keys : nullptr, surroundings.clock,
                       {.attempts = config.attempts().value_or(3)});
  const QueryOperation operation = assume_operation(web ? "AssumeRoleWithWebIdentity" : "AssumeRole");
  const std::string what = fmt::format("{} {}", operation.name, role.arn);
  return credentials_of(what, query_call(client, service_endpoint(sts, choice), what, operation, input), role);
}

}  // namespace plume::cloud

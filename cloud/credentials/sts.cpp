// AssumeRole, and AssumeRoleWithWebIdentity, which nobody signs.
#include <pugixml.hpp>

#include "cloud/client/service_client.hpp"
#include "cloud/credentials/sources.hpp"
#include "cloud/endpoints/arn.hpp"
#include "cloud/protocols/query.hpp"

namespace plume::cloud {
namespace {

class GivenKeys final : public CredentialSource {
 public:
  explicit GivenKeys(Credentials keys) : keys_(std::move(keys)) {}
  Credentials get(bool) override { return keys_; }

 private:
  Credentials keys_;
};

Credentials parse_reply(const std::string& what, const std::string& body, const Role& role) {
  pugi::xml_document document;
  const bool parsed = document.load_buffer(body.data(), body.size());
  const pugi::xml_node result = document.document_element().first_child();  // AssumeRole...Result
  const pugi::xml_node keys = result.child("Credentials");
  Credentials credentials;
  credentials.access_key_id = keys.child_value("AccessKeyId");
  credentials.secret_access_key = Secret(keys.child_value("SecretAccessKey"));
  credentials.session_token = Secret(keys.child_value("SessionToken"));
  credentials.expires = parse_time(keys.child_value("Expiration"));
  credentials.source = fmt::format("role {}", role.arn);
  if (const auto arn = parse_arn(result.child("AssumedRoleUser").child_value("Arn")))
    credentials.account_id = arn->account;
  if (!parsed || credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    throw cloud_error(Failure::credentials, "{}: the answer holds no keys", what);
  return credentials;
}

}  // namespace

Credentials assume_role(const Config& config, const Role& role, const Credentials* base) {
  const bool web = base == nullptr;
  const Surroundings& surroundings = config.surroundings();
  const auto session = role.session_name.empty()
                           ? fmt::format("plume-{}", surroundings.clock.now().time_since_epoch().count())
                           : role.session_name;
  Form form;
  form.add("RoleArn", role.arn).add("RoleSessionName", session);
  form.add_if("WebIdentityToken", role.web_identity).add_if("ExternalId", role.external_id);
  form.add_if("DurationSeconds", role.duration);
  EndpointChoice choice = config.endpoint_choice(sts);
  if (choice.region.empty()) choice.region = "us-east-1";

  std::optional<GivenKeys> keys;
  if (!web) keys.emplace(*base);
  ServiceClient client(*surroundings.transport, keys ? &*keys : nullptr, surroundings.clock,
                       {.attempts = config.attempts().value_or(3)});
  const std::string action = web ? "AssumeRoleWithWebIdentity" : "AssumeRole";
  const std::string what = fmt::format("{} {}", action, role.arn);
  return parse_reply(what, query_call(client, service_endpoint(sts, choice), what, action, "2011-06-15", form), role);
}

}  // namespace plume::cloud

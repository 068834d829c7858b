// IAM Identity Center: a token in a cache of files, exchanged for keys.
#include <nlohmann/json.hpp>

#include "cloud/client/service_client.hpp"
#include "cloud/credentials/sources.hpp"
#include "cloud/protocols/query.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

std::string property(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  return found == properties.end() ? std::string() : found->second;
}

// Where to log in: the profile's own settings, or those of the session it names.
struct Login {
  std::string cache_key;
  std::string region;
};

Login login_of(const Config& config, const Properties& profile) {
  const std::string session = property(profile, "sso_session");
  if (session.empty()) return {property(profile, "sso_start_url"), property(profile, "sso_region")};
  const auto found = config.files().sso_sessions.find(session);
  if (found == config.files().sso_sessions.end())
    throw cloud_error(Failure::credentials, "single sign-on: there is no [sso-session {}]", session);
  return {session, property(found->second, "sso_region")};
}

SsoToken read_token(const Config& config, const Login& login) {
  const Surroundings& surroundings = config.surroundings();
  const std::string path =
      surroundings.variable("HOME").value_or("") + "/.aws/sso/cache/" + sha1_hex(login.cache_key) + ".json";
  auto text = surroundings.file(path);
  if (!text) throw cloud_error(Failure::credentials, "single sign-on: cannot read {}; run `aws sso login`", path);
  Json document = Json::parse(*text, nullptr, false);
  wipe(*text);
  if (!document.is_object() || !document["accessToken"].is_string() || !document["expiresAt"].is_string())
    throw cloud_error(Failure::credentials, "single sign-on: {} holds no token; run `aws sso login`", path);
  const auto expires = parse_time(document["expiresAt"].get<std::string>());
  if (!expires || *expires <= surroundings.clock.now())
    throw cloud_error(Failure::credentials, "single sign-on: the token in {} has expired; run `aws sso login`", path);
  return {Secret::take(std::move(document["accessToken"].get_ref<std::string&>())), *expires};
}

}  // namespace

std::optional<SsoToken> sso_token(const Config& config) {
  const auto profile = config.files().profiles.find(config.profile());
  if (profile == config.files().profiles.end() || property(profile->second, "sso_session").empty()) return std::nullopt;
  return read_token(config, login_of(config, profile->second));
}

Credentials sso_credentials(const Config& config, const Properties& profile) {
  const std::string account = property(profile, "sso_account_id");
  const std::string role = property(profile, "sso_role_name");
  if (account.empty() || role.empty())
    throw cloud_error(Failure::credentials,
                      "profile {}: without sso_account_id and sso_role_name it gives a token, and no keys",
                      config.profile());
  const Login login = login_of(config, profile);
  const SsoToken token = read_token(config, login);
  EndpointChoice choice = config.endpoint_choice(sso);
  choice.region = login.region;
  ServiceRequest request;
  request.what = "GetRoleCredentials " + role;
  request.endpoint = service_endpoint(sso, choice);
  request.path = "/federation/credentials";
  request.query = Form().add("role_name", role).add("account_id", account).text();
  request.headers = {{"x-amz-sso_bearer_token", std::string(token.token.reveal())}};
  ServiceClient client(*config.surroundings().transport, nullptr, config.surroundings().clock,
                       {.attempts = config.attempts().value_or(3)});
  HttpResponse response = client.call(request);

  Json document = Json::parse(response.body, nullptr, false);
  wipe(response.body);
  if (!document.is_object() || !document["roleCredentials"].is_object())
    throw cloud_error(Failure::credentials, "{}: the answer holds no keys", request.what);
  Json& keys = document["roleCredentials"];
  const auto take = [&](const char* name) {
    return keys.contains(name) && keys[name].is_string() ? std::move(keys[name].get_ref<std::string&>())
                                                         : std::string();
  };
  Credentials credentials;
  credentials.access_key_id = take("accessKeyId");
  credentials.secret_access_key = Secret::take(take("secretAccessKey"));
  credentials.session_token = Secret::take(take("sessionToken"));
  if (keys.contains("expiration") && keys["expiration"].is_number())
    credentials.expires = Time(std::chrono::seconds(keys["expiration"].get<std::int64_t>() / 1000));
  credentials.account_id = account;
  credentials.source = "single sign-on as " + role;
  return credentials;
}

}  // namespace plume::cloud

// {"AccessKeyId": ..., "SecretAccessKey": ..., "Token": ..., "Expiration": ...}
#include <nlohmann/json.hpp>

#include "cloud/credentials/sources.hpp"

namespace plume::cloud {

Credentials parse_credentials(std::string text, std::string_view token, const std::string& source) {
  auto document = nlohmann::json::parse(text, nullptr, false);
  wipe(text);
  if (!document.is_object()) throw cloud_error(Failure::credentials, "{}: invalid JSON in response", source);
  // Taken out of the document, so that it keeps no secret.
  const auto take = [&](std::string_view name) -> std::string {
    const auto found = document.find(std::string(name));
    if (found == document.end() || !found->is_string()) return {};
    return std::move(found->get_ref<std::string&>());
  };
  Credentials credentials;
  credentials.access_key_id = take("AccessKeyId");
  credentials.secret_access_key = Secret::take(take("SecretAccessKey"));
  credentials.session_token = Secret::take(take(token));
  credentials.account_id = take("AccountId");
  credentials.source = source;
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    throw cloud_error(Failure::credentials, "{}: no AccessKeyId and SecretAccessKey in the answer", source);
  if (const std::string expiration = take("Expiration"); !expiration.empty()) {
    credentials.expires = parse_time(expiration);
    if (!credentials.expires)
      throw cloud_error(Failure::credentials, "{}: Expiration is no time: {}", source, expiration);
  }
  return credentials;
}

}  // namespace plume::cloud

// Every place that keys may come from, each in its file. A source that is not set up gives nothing; one that is and
// fails throws cloud::Error (credentials).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/credentials/config.hpp"
#include "cloud/signing/credentials.hpp"

namespace plume::cloud {

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
[[nodiscard]] std::optional<Credentials> environment_credentials(const Surroundings& surroundings);

// What the chosen profile says: keys, a role to assume, a web identity, single sign-on, a process.
[[nodiscard]] std::optional<Credentials> profile_credentials(const Config& config);

// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, as Kubernetes sets them.
[[nodiscard]] std::optional<Credentials> web_identity_credentials(const Config& config);

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, as ECS, EKS and Lambda's relatives set them.
[[nodiscard]] std::optional<Credentials> container_credentials(const Surroundings& surroundings);

// The machine's own role, by EC2's metadata service, version 2.
[[nodiscard]] std::optional<Credentials> instance_credentials(const Config& config);
// And the region that it is in.
[[nodiscard]] std::optional<std::string> instance_region(const Config& config);

// A role, by STS. `base` nullptr: the web identity speaks for itself, and the request is not signed.
struct Role {
  std::string arn;
  std::string session_name;  // empty: one is made
  std::string external_id;
  std::string duration;      // seconds
  std::string web_identity;  // the token
};
[[nodiscard]] Credentials assume_role(const Config& config, const Role& role, const Credentials* base);

// Single sign-on: the token that `aws sso login` left, and the keys for it.
struct SsoToken {
  Secret token;
  Time expires{};
};
[[nodiscard]] std::optional<SsoToken> sso_token(const Config& config);
[[nodiscard]] Credentials sso_credentials(const Config& config, const Properties& profile);

// From a document of credential_process, of a container or of a machine; names as AWS has them.
// `token` is the name of the session token there.
[[nodiscard]] Credentials parse_credentials(std::string text, std::string_view token, const std::string& source);

}  // namespace plume::cloud

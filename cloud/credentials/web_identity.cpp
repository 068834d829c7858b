// A token in a file, for a role.
#include "cloud/credentials/sources.hpp"

namespace plume::cloud {

std::optional<Credentials> web_identity_credentials(const Config& config) {
  const Surroundings& surroundings = config.surroundings();
  const auto file = surroundings.word("AWS_WEB_IDENTITY_TOKEN_FILE");
  const auto arn = surroundings.word("AWS_ROLE_ARN");
  if (!file) return std::nullopt;
  if (!arn) throw cloud_error(Failure::credentials, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
  const auto token = surroundings.file(*file);
  if (!token) throw cloud_error(Failure::credentials, "AWS_WEB_IDENTITY_TOKEN_FILE: cannot read {}", *file);
  Role role;
  role.arn = *arn;
  role.session_name = surroundings.word("AWS_ROLE_SESSION_NAME").value_or("");
  role.web_identity = *token;
  return assume_role(config, role, nullptr);
}

}  // namespace plume::cloud

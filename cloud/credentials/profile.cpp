// What a profile of the files says; a role's base may be another profile, and so on.
#include <algorithm>
#include <vector>

#include "cloud/credentials/sources.hpp"

namespace plume::cloud {
namespace {

class ProfileResolver {
 public:
  explicit ProfileResolver(const Config& config) : config_(config) {}

  // Nothing where the profile says nothing of credentials.
  std::optional<Credentials> resolve(const std::string& name) {
    const Properties& profile = find(name);
    const auto get = [&](const char* key) { return property(profile, key); };
    if (std::find(visited_.begin(), visited_.end(), name) != visited_.end()) {
      if (auto keys = static_keys(name, profile)) return keys;  // a role whose base is its own profile's keys
      fail(name, "its source_profile leads back to it");
    }
    visited_.push_back(name);

    if (const std::string file = get("web_identity_token_file"); !file.empty())
      return web_identity(name, profile, file);
    const bool has_base = !get("source_profile").empty() || !get("credential_source").empty();
    if (!get("role_arn").empty() && has_base) return role(name, profile);
    if (!get("sso_start_url").empty() || !get("sso_session").empty()) return sso_credentials(config_, profile);
    if (auto keys = static_keys(name, profile)) return keys;
    if (const std::string command = get("credential_process"); !command.empty()) return process(profile, command);
    return std::nullopt;
  }

 private:
  static std::string property(const Properties& profile, const char* key) {
    const auto found = profile.find(key);
    return found == profile.end() ? std::string() : found->second;
  }

  const Properties& find(const std::string& name) const {
    const auto found = config_.files().profiles.find(name);
    if (found == config_.files().profiles.end())
      throw cloud_error(Failure::credentials, "there is no profile {} in {}", name,
                        profile_locations(config_.surroundings()).config.string());
    return found->second;
  }

  [[noreturn]] static void fail(const std::string& name, const std::string& why) {
    throw cloud_error(Failure::credentials, "profile {}: {}", name, why);
  }

  static std::optional<Credentials> static_keys(const std::string& name, const Properties& profile) {
    const std::string id = property(profile, "aws_access_key_id");
    if (id.empty()) return std::nullopt;
    Credentials credentials;
    credentials.access_key_id = id;
    credentials.secret_access_key = Secret::take(property(profile, "aws_secret_access_key"));
    if (credentials.secret_access_key.empty()) fail(name, "aws_access_key_id without aws_secret_access_key");
    credentials.session_token = Secret::take(property(profile, "aws_session_token"));
    credentials.account_id = property(profile, "aws_account_id");
    credentials.source = "profile " + name;
    return credentials;
  }

  static Role role_of(const Properties& profile) {
    Role role;
    role.arn = property(profile, "role_arn");
    role.session_name = property(profile, "role_session_name");
    role.external_id = property(profile, "external_id");
    role.duration = property(profile, "duration_seconds");
    return role;
  }

  Credentials web_identity(const std::string& name, const Properties& profile, const std::string& file) const {
    Role role = role_of(profile);
    if (role.arn.empty()) fail(name, "`web_identity_token_file` was specified but `role_arn` was missing");
    auto token = config_.surroundings().file(file);
    if (!token) fail(name, "cannot read web_identity_token_file " + file);
    role.web_identity = *std::move(token);
    return assume_role(config_, role, nullptr);
  }

  Credentials role(const std::string& name, const Properties& profile) {
    if (!property(profile, "mfa_serial").empty())
      fail(name, "roles that ask for a code (mfa_serial) are not supported: use single sign-on or credential_process");
    const std::string other = property(profile, "source_profile");
    const auto base = other.empty() ? named_source(name, property(profile, "credential_source")) : resolve(other);
    if (!base) fail(name, fmt::format("its base gives no keys: {}", other.empty() ? "credential_source" : other));
    return assume_role(config_, role_of(profile), &*base);
  }

  std::optional<Credentials> named_source(const std::string& name, const std::string& source) const {
    if (source == "Environment") return environment_credentials(config_.surroundings());
    if (source == "EcsContainer") return container_credentials(config_.surroundings());
    if (source == "Ec2InstanceMetadata") return instance_credentials(config_);
    fail(name, fmt::format("credential_source {} is none of Environment, EcsContainer, Ec2InstanceMetadata", source));
  }

  Credentials process(const Properties& profile, const std::string& command) const {
    Credentials credentials =
        parse_credentials(config_.surroundings().run(command), "SessionToken", "credential_process");
    if (credentials.account_id.empty()) credentials.account_id = property(profile, "aws_account_id");
    return credentials;
  }

  const Config& config_;
  std::vector<std::string> visited_;
};

}  // namespace

std::optional<Credentials> profile_credentials(const Config& config) {
  const bool there = config.files().profiles.count(config.profile()) != 0;
  if (!there && !config.profile_is_chosen()) return std::nullopt;
  return ProfileResolver(config).resolve(config.profile());
}

}  // namespace plume::cloud

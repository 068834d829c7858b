// In the order on which AWS's clients agree.
#include "cloud/credentials/chain.hpp"

#include "cloud/credentials/sources.hpp"

namespace plume::cloud {

Credentials find_credentials(const Config& config) {
  const bool by_flag = !config.flags().profile.empty();
  std::optional<Credentials> found;
  if (!by_flag) found = environment_credentials(config.surroundings());
  if (!found) found = profile_credentials(config);
  if (!found && by_flag)
    throw cloud_error(Failure::credentials, "profile {} says nothing of credentials", config.profile());
  if (!found) found = web_identity_credentials(config);
  if (!found) found = container_credentials(config.surroundings());
  if (!found) found = instance_credentials(config);
  if (!found)
    throw cloud_error(
        Failure::credentials,
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of {}",
        profile_locations(config.surroundings()).config.string());
  return *std::move(found);
}

Credentials CredentialChain::get(bool anew) {
  constexpr std::chrono::minutes early{5};
  const std::lock_guard lock(mutex_);
  const Time now = config_.surroundings().clock.now();
  const bool soon = found_ && found_->expires && *found_->expires - now < early;
  if (found_ && !soon && !anew) return *found_;
  try {
    found_ = find_credentials(config_);
  } catch (const Error&) {
    const bool valid = found_ && !anew && found_->expires > now;
    if (!valid) throw;
  }
  return *found_;
}

}  // namespace plume::cloud

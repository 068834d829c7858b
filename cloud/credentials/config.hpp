// What a user has set, by flags, environment and profile files, in that order.
// Source: AWS SDKs and Tools Reference Guide, "Settings reference".
#pragma once

#include <optional>
#include <string>

#include "cloud/credentials/profile_files.hpp"
#include "cloud/endpoints/s3_endpoint.hpp"

namespace plume::cloud {

// From the command line; empty: not given.
struct Flags {
  std::string profile{};
  std::string region{};
  std::string endpoint_url{};  // of the service that the command is about
};

class Config {
 public:
  // Reads the profile files; the surroundings' transport may come later, by what this says of it. Throws cloud::Error
  // (usage) where they are damaged.
  Config(Flags flags, Surroundings surroundings);

  [[nodiscard]] const Flags& flags() const noexcept { return flags_; }
  [[nodiscard]] const Surroundings& surroundings() const noexcept { return surroundings_; }
  [[nodiscard]] const ProfileFiles& files() const noexcept { return files_; }
  [[nodiscard]] const std::string& profile() const noexcept { return profile_; }
  // Whether a flag or AWS_PROFILE names it, so that it must be there.
  [[nodiscard]] bool profile_is_chosen() const noexcept { return profile_is_chosen_; }

  // A variable, else the profile's property; empty `name` or `key`: not asked.
  [[nodiscard]] std::optional<std::string> setting(const std::string& name, const std::string& key) const;
  [[nodiscard]] bool is_set(const std::string& name, const std::string& key) const;

  // By flag, AWS_REGION, AWS_DEFAULT_REGION or profile; empty: none of them.
  [[nodiscard]] std::string region() const;

  // An address set for this service, else for all; empty: none. The flag has no part in it.
  [[nodiscard]] std::string endpoint_url(const Service& service) const;

  // Region, address, FIPS and dual stack for a service that the command is not about.
  [[nodiscard]] EndpointChoice endpoint_choice(const Service& service) const;

  // AWS_CA_BUNDLE or ca_bundle.
  [[nodiscard]] TransportSettings transport_settings() const;

  // AWS_MAX_ATTEMPTS or max_attempts; nothing where neither is set. Throws cloud::Error (usage) where it is no number.
  [[nodiscard]] std::optional<int> attempts() const;

 private:
  Flags flags_;
  Surroundings surroundings_;
  ProfileFiles files_;
  std::string profile_;
  bool profile_is_chosen_ = false;
};

}  // namespace plume::cloud

// ~/.aws/config and ~/.aws/credentials: named groups of settings.
// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "cloud/credentials/surroundings.hpp"

namespace plume::cloud {

using Properties = std::map<std::string, std::string>;  // names in lower case
using Sections = std::map<std::string, Properties>;

struct ProfileFiles {
  Sections profiles;
  Sections sso_sessions;
  Sections services;
};

struct ProfileLocations {
  std::filesystem::path config;
  std::filesystem::path credentials;
};

// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else below $HOME/.aws.
[[nodiscard]] ProfileLocations profile_locations(const Surroundings& surroundings);

// A property that both files have is the credentials file's. Throws cloud::Error (usage) with the line that is none.
[[nodiscard]] ProfileFiles parse_profiles(std::string_view config, std::string_view credentials);

// Both as they are; a file that is not there is an empty one.
[[nodiscard]] ProfileFiles read_profiles(const Surroundings& surroundings);

// A property's indented lines ("endpoint_url = ..." below "s3 ="), one property each.
[[nodiscard]] Properties sub_properties(std::string_view value);

}  // namespace plume::cloud

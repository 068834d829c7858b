// Who signs.
#pragma once

#include <optional>
#include <string>

#include "cloud/signing/secret.hpp"
#include "cloud/signing/time.hpp"

namespace plume::cloud {

struct Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;         // empty for a user's own keys
  std::optional<Time> expires;  // nothing: they stay
  std::string account_id;       // empty where the source did not say
  std::string source;           // where they came from, for messages: "profile default", "environment"
};

}  // namespace plume::cloud

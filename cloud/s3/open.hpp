// S3 as a user has set it up.
#pragma once

#include <memory>
#include <optional>

#include "cloud/credentials/chain.hpp"
#include "cloud/credentials/config.hpp"
#include "cloud/s3/client.hpp"

namespace plume::cloud {

// Addressing, checksums and attempts from flags, environment and profile. Throws cloud::Error (usage) where a setting
// is none of those there are.
[[nodiscard]] S3Settings s3_settings(const Config& config);

// Transfers are many requests, one of which may be unlucky several times: 10 attempts unless the user says otherwise.
[[nodiscard]] ClientSettings s3_client_settings(const Config& config);

}  // namespace plume::cloud

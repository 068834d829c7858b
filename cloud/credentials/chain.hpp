// The first source that has keys, asked again before they expire.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "cloud/client/service_client.hpp"
#include "cloud/credentials/config.hpp"

namespace plume::cloud {

// Environment (unless a flag names a profile), profile, web identity, container, machine.
// Throws cloud::Error (credentials), with what to do, where none of them has keys.
[[nodiscard]] Credentials find_credentials(const Config& config);

// Thread-safe. Asks anew 5 minutes before the keys expire; where that fails, those at hand serve while they are valid.
class CredentialChain final : public CredentialSource {
 public:
  explicit CredentialChain(const Config& config) : config_(config) {}  // which outlives it
  [[nodiscard]] Credentials get(bool anew = false) override;

 private:
  const Config& config_;
  std::mutex mutex_;
  std::optional<Credentials> found_;
};

}  // namespace plume::cloud

// A user's settings, keys and connections together, from which clients of services are made.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cloud/credentials/chain.hpp"
#include "cloud/credentials/config.hpp"
#include "cloud/s3/client.hpp"

namespace plume::cloud {

struct SessionOptions {
  Flags flags{};  // endpoint_url is of all services
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(const std::string&)> debug{};  // as ClientSettings::debug
};

class Session {
 public:
  // Reads the profile files; nothing is sent, and no keys are looked for, before the first request.
  // Throws cloud::Error (usage) where a setting is wrong.
  Session(SessionOptions options, const Surroundings& surroundings);

  [[nodiscard]] const Config& config() const noexcept { return config_; }
  [[nodiscard]] CredentialSource& credentials() noexcept { return chain_; }
  // Of all services but S3.
  [[nodiscard]] ServiceClient& client() noexcept { return client_; }
  [[nodiscard]] const Clock& clock() const noexcept { return config_.surroundings().clock; }

  // Throws cloud::Error (usage) where there is no region, with how to say it.
  [[nodiscard]] std::string region() const;
  [[nodiscard]] Endpoint endpoint(const Service& service) const;
  // `checksum` nothing: as S3Settings has it.
  [[nodiscard]] std::unique_ptr<S3> s3(std::optional<ChecksumKind> checksum = std::nullopt);

 private:
  [[nodiscard]] ClientSettings client_settings() const;

  SessionOptions options_;
  Config config_;
  std::unique_ptr<Transport> transport_;
  CredentialChain chain_;
  ServiceClient client_;
};

}  // namespace plume::cloud

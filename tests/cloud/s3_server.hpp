// A real S3 server of a test's own: Ceph's gateway or OpenStack Swift, brought up by the scripts in servers/.
#pragma once

#include <memory>
#include <string>

#include "../scratch_folder.hpp"
#include "cloud/client/service_client.hpp"
#include "cloud/s3/client.hpp"

namespace plume::tests {

enum class ServerKind { rgw, swift };

class FixedKeys final : public cloud::CredentialSource {
 public:
  FixedKeys(std::string id, std::string_view secret) {
    keys_.access_key_id = std::move(id);
    keys_.secret_access_key = cloud::Secret(secret);
  }
  cloud::Credentials get(bool) override { return keys_; }

 private:
  cloud::Credentials keys_;
};

class S3Server {
 public:
  // The program that is missing here, of those that it takes; empty: none.
  [[nodiscard]] static std::string missing(ServerKind kind);

  // Returns when it answers; throws std::runtime_error with what its script says where it does not.
  explicit S3Server(ServerKind kind);
  ~S3Server();  // stops all
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  [[nodiscard]] std::string access_key() const;
  [[nodiscard]] static std::string secret_key() { return "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"; }

  // A client of it.
  [[nodiscard]] std::unique_ptr<cloud::S3> client(cloud::S3Settings settings = {},
                                                  cloud::ClientSettings client_settings = {});
  [[nodiscard]] std::unique_ptr<cloud::S3> client_with(cloud::CredentialSource* keys, cloud::Clock clock,
                                                       cloud::S3Settings settings = {},
                                                       cloud::ClientSettings client_settings = {});
  [[nodiscard]] cloud::Transport& transport() { return *transport_; }
  // The environment in which other clients find it.
  [[nodiscard]] std::string environment() const;

 private:
  ServerKind kind_;
  ScratchFolder folder_;
  std::string url_;
  int child_ = -1;
  int input_ = -1;  // it lives until this is closed
  std::unique_ptr<cloud::Transport> transport_ = cloud::make_transport();
  std::unique_ptr<FixedKeys> keys_;
};

}  // namespace plume::tests

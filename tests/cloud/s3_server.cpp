// A child process, its standard input as its lifeline.
#include "s3_server.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace plume::tests {
namespace {

bool is_there(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  return false;
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const pointer = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(socket, pointer, size) == 0 && ::getsockname(socket, pointer, &size) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace

std::string S3Server::missing(ServerKind kind) {
  const std::vector<std::string> rgw{"curl", "python3", "ceph-mon", "ceph-osd", "ceph", "radosgw", "radosgw-admin"};
  const std::vector<std::string> swift{"curl",
                                       "memcached",
                                       "swift-ring-builder",
                                       "swift-proxy-server",
                                       "swift-account-server",
                                       "swift-container-server",
                                       "swift-object-server"};
  for (const std::string& program : kind == ServerKind::rgw ? rgw : swift)
    if (!is_there(program)) return program;
  return {};
}

std::string S3Server::access_key() const {
  return kind_ == ServerKind::rgw ? "AKIDEXAMPLE0000000000" : "test:tester";
}

S3Server::S3Server(ServerKind kind) : kind_(kind) {
  const int port = free_port();
  url_ = fmt::format("http://127.0.0.1:{}", port);
  keys_ = std::make_unique<FixedKeys>(access_key(), secret_key());
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  if (::pipe2(to.data(), O_CLOEXEC) != 0 || ::pipe2(from.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const std::string script =
      fmt::format("{}/tests/cloud/servers/{}.sh", PLUME_SOURCE_DIR, kind == ServerKind::rgw ? "rgw" : "swift");
  const std::string folder = (folder_ / "server").string();
  const std::string port_text = std::to_string(port);
  const std::string access = "ACCESS_KEY=" + access_key();
  const std::string secret = "SECRET_KEY=" + secret_key();
  child_ = ::fork();
  if (child_ == 0) {
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    ::putenv(const_cast<char*>(access.c_str()));
    ::putenv(const_cast<char*>(secret.c_str()));
    ::execl(script.c_str(), script.c_str(), folder.c_str(), port_text.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  input_ = to[1];
  std::string said;
  std::array<char, 256> buffer{};
  while (said.find('\n') == std::string::npos) {
    const ssize_t size = ::read(from[0], buffer.data(), buffer.size());
    if (size <= 0) break;
    said.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ::close(from[0]);
  if (said != "ready\n") throw std::runtime_error(script + ": " + said);
}

S3Server::~S3Server() {
  ::close(input_);
  int status = 0;
  ::waitpid(child_, &status, 0);
}

std::unique_ptr<cloud::S3> S3Server::client(cloud::S3Settings settings, cloud::ClientSettings client_settings) {
  return client_with(keys_.get(), cloud::system_clock(), std::move(settings), std::move(client_settings));
}

std::unique_ptr<cloud::S3> S3Server::client_with(cloud::CredentialSource* keys, cloud::Clock clock,
                                                 cloud::S3Settings settings, cloud::ClientSettings client_settings) {
  settings.choice.region = "us-east-1";
  settings.choice.custom = url_;
  return std::make_unique<cloud::S3>(*transport_, keys, std::move(clock), std::move(settings),
                                     std::move(client_settings));
}

std::string S3Server::environment() const {
  return fmt::format(
      "AWS_ACCESS_KEY_ID='{}' AWS_SECRET_ACCESS_KEY='{}' AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL='{}' "
      "AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null",
      access_key(), secret_key(), url_);
}

}  // namespace plume::tests

// Sockets of the system, and just enough HTTP to read our own server's answers.
#include "client.hpp"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace plume::tests {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

}  // namespace

std::string Answer::header(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (known == lower(name)) return value;
  }
  return {};
}

Client::Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(socket_);
    throw std::runtime_error(fmt::format("cannot connect to port {}", port));
  }
}

Client::~Client() {
  if (socket_ >= 0) ::close(socket_);
}

Client::Client(Client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::fill(std::chrono::milliseconds limit) {
  pollfd wanted{socket_, POLLIN, 0};
  if (::poll(&wanted, 1, static_cast<int>(limit.count())) != 1) return false;
  std::array<char, 65536> bytes{};
  const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  received_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<Answer> Client::receive(bool body, std::chrono::milliseconds limit) {
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill(limit)) return std::nullopt;
  }
  Answer answer;
  const std::string head = received_.substr(0, end + 2);
  answer.status = std::atoi(head.c_str() + sizeof("HTTP/1.1"));
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    answer.headers.emplace_back(lower(head.substr(at, colon - at)), head.substr(colon + 2, line_end - colon - 2));
    at = line_end + 2;
  }
  received_.erase(0, end + 4);
  const std::size_t length = body ? std::strtoul(answer.header("content-length").c_str(), nullptr, 10) : 0;
  while (received_.size() < length) {
    if (!fill(limit)) return std::nullopt;
  }
  answer.body = received_.substr(0, length);
  received_.erase(0, length);
  return answer;
}

bool Client::ends(std::chrono::milliseconds limit) {
  pollfd wanted{socket_, POLLIN, 0};
  if (!received_.empty() || ::poll(&wanted, 1, static_cast<int>(limit.count())) != 1) return false;
  char byte = 0;
  return ::recv(socket_, &byte, 1, 0) <= 0;
}

std::optional<Answer> Client::ask(std::string_view method, std::string_view path, std::string_view headers,
                                  std::string_view body) {
  send(request_text(method, path, headers, body));
  return receive(method != "HEAD");
}

void Client::shut_down_sending() const {
  ::shutdown(socket_, SHUT_WR);
}

void Client::reset() {
  const linger none{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
  ::close(std::exchange(socket_, -1));
}

void Client::small_receive_buffer() const {
  const int bytes = 4096;
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

std::optional<Answer> ask(int port, std::string_view method, std::string_view path, std::string_view headers,
                          std::string_view body) {
  return Client(port).ask(method, path, headers, body);
}

std::string request_text(std::string_view method, std::string_view path, std::string_view headers,
                         std::string_view body) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: here\r\nContent-Length: {}\r\n{}\r\n{}", method, path, body.size(),
                     headers, body);
}

}  // namespace plume::tests

// A thread per connection; all end with the server.
#include "loopback_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <stdexcept>

namespace plume::tests {
namespace {

// What arrives on a socket, until it ends.
class Stream {
 public:
  explicit Stream(int socket) : socket_(socket) {}

  std::optional<std::string> until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = buffer_.find(mark)) == std::string::npos)
      if (!more()) return std::nullopt;
    return take(at + mark.size());
  }
  std::optional<std::string> exactly(std::size_t size) {
    while (buffer_.size() < size)
      if (!more()) return std::nullopt;
    return take(size);
  }

 private:
  bool more() {
    std::array<char, 65536> bytes{};
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (size <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(size));
    return true;
  }
  std::string take(std::size_t size) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  int socket_;
  std::string buffer_;
};

std::optional<ServerRequest> read_request(Stream& stream) {
  const auto head = stream.until("\r\n\r\n");
  if (!head) return std::nullopt;
  ServerRequest request;
  std::size_t at = head->find("\r\n");
  const std::string line = head->substr(0, at);
  request.method = line.substr(0, line.find(' '));
  request.target = line.substr(request.method.size() + 1, line.rfind(' ') - request.method.size() - 1);
  for (at += 2; at + 2 < head->size();) {
    const std::size_t end = head->find("\r\n", at);
    const std::string field = head->substr(at, end - at);
    const std::size_t colon = field.find(':');
    request.headers.push_back({field.substr(0, colon), field.substr(std::min(colon + 2, field.size()))});
    at = end + 2;
  }
  if (const std::string length = request.header("content-length"); !length.empty()) {
    auto body = stream.exactly(std::stoul(length));
    if (!body) return std::nullopt;
    request.body = *std::move(body);
  }
  return request;
}

}  // namespace

std::string ServerRequest::header(std::string_view name) const {
  const std::string* const value = cloud::find_header(headers, name);
  return value == nullptr ? std::string() : *value;
}

void ServerConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return close();
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void ServerConnection::reply_head(int status, std::size_t length, const cloud::Headers& headers) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
  head += "Content-Length: " + std::to_string(length) + "\r\n";
  for (const cloud::Header& header : headers) head += header.name + ": " + header.value + "\r\n";
  send(head + "\r\n");
}

void ServerConnection::reply(int status, std::string_view body, const cloud::Headers& headers) {
  reply_head(status, body.size(), headers);
  send(body);
}

void ServerConnection::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

LoopbackServer::LoopbackServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const pointer = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, pointer, size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, pointer, &size) != 0)
    throw std::runtime_error("no free port");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

void LoopbackServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ++connections_;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void LoopbackServer::serve(int socket) {
  Stream stream(socket);
  ServerConnection connection(socket);
  while (connection.open()) {
    auto request = read_request(stream);
    if (!request) break;
    request->number = requests_++;
    handler_(*request, connection);
  }
  const std::lock_guard lock(mutex_);
  std::erase(sockets_, socket);
  ::close(socket);
}

}  // namespace plume::tests

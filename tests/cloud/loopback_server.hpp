// An HTTP/1.1 server on this machine that does what a test says, down to the bytes and the resets.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cloud/signing/headers.hpp"

namespace plume::tests {

struct ServerRequest {
  std::string method;
  std::string target;  // path and query, or what a proxy is asked for
  cloud::Headers headers;
  std::string body;
  int number = 0;  // of all requests, from 0

  [[nodiscard]] std::string header(std::string_view name) const;
};

// The other end of a connection.
class ServerConnection {
 public:
  explicit ServerConnection(int socket) : socket_(socket) {}
  void send(std::string_view bytes);
  // A whole reply with Content-Length.
  void reply(int status, std::string_view body, const cloud::Headers& headers = {});
  void reply_head(int status, std::size_t length, const cloud::Headers& headers = {});
  // Ends it as a failing machine does, without a goodbye.
  void reset();
  void close() { open_ = false; }
  [[nodiscard]] bool open() const noexcept { return open_; }

 private:
  int socket_;
  bool open_ = true;
};

class LoopbackServer {
 public:
  // Called by a thread for each connection.
  using Handler = std::function<void(const ServerRequest&, ServerConnection&)>;

  explicit LoopbackServer(Handler handler);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] int connections() const noexcept { return connections_; }
  [[nodiscard]] int requests() const noexcept { return requests_; }

 private:
  void accept_all();
  void serve(int socket);

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // for both below
  std::vector<std::thread> threads_;
  std::vector<int> sockets_;
  std::thread acceptor_;
};

}  // namespace plume::tests

// An HTTP/1.x server: one thread reads and writes all connections and computes nothing, so it answers at any load.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "unet/serve/budget.hpp"
#include "unet/serve/http/counts.hpp"
#include "unet/serve/http/message.hpp"

namespace plume::serve::http {

struct ServerSettings {
  std::string host = "127.0.0.1";  // an address, of IPv4 or IPv6
  int port = 8080;                 // 0: any that is free
  std::size_t max_body = std::size_t{6} << 20;
  std::size_t max_header = std::size_t{16} << 10;  // request line included
  std::size_t max_connections = 16384;             // fewer where the process may open fewer files
  std::chrono::milliseconds idle_timeout{75'000};  // between requests
  std::chrono::milliseconds header_timeout{10'000};
  // A body, or the reading of an answer, may take this long, and the longer the more bytes have gone over.
  std::chrono::milliseconds transfer_timeout{20'000};
  std::size_t slowest_transfer = std::size_t{16} << 10;  // bytes per second
  std::chrono::milliseconds retry_after{1'000};          // what a client is told that comes too early
  bool access_log = false;                               // a line of JSON per request on stderr
};

class Server {
 public:
  // Listens from now on; requests are answered from start() on. What is given by reference must outlive the server.
  // Throws usage_error for a host that is no address, environment_error where it cannot listen there.
  Server(const ServerSettings& settings, Handler& handler, Budget& budget, Counts& counts);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();

  // Takes no more connections, lets those end that have a request, and waits for that: true where all have been answered
  // in this time.
  [[nodiscard]] bool drain(std::chrono::milliseconds limit);

  [[nodiscard]] int port() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace plume::serve::http

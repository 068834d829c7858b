// Stands between a client and a server and goes wrong at random, as networks and services do.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>

#include "cloud/http/transport.hpp"
#include "loopback_server.hpp"

namespace plume::tests {

class FaultProxy {
 public:
  // `rate`: the share of requests that something happens to.
  FaultProxy(std::string server, double rate, unsigned seed);

  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] int requests() const { return server_.requests(); }
  // Uploads whose beginning succeeded without the client's learning of it.
  [[nodiscard]] std::size_t lost_uploads() const { return lost_uploads_; }
  // How often each fault has happened, by name.
  [[nodiscard]] std::map<std::string, int> faults();

 private:
  enum class Fault {
    none,
    error_500,
    slow_down,
    reset_before,
    reset_after,
    cut_reply,
    stall,
    corrupt,
    ok_with_error,
    redirect
  };
  void handle(const ServerRequest& request, ServerConnection& connection);
  [[nodiscard]] Fault draw(const ServerRequest& request);
  [[nodiscard]] cloud::HttpResponse forward(const ServerRequest& request);
  // What S3 says of an object's bytes, and the servers at hand do not.
  void add_checksum(const ServerRequest& request, cloud::HttpResponse& response);

  std::string backend_;
  double rate_;
  std::unique_ptr<cloud::Transport> transport_ = cloud::make_transport();
  std::atomic<std::size_t> lost_uploads_{0};
  std::mutex mutex_;  // for all below
  std::mt19937 generator_;
  std::map<std::string, int> faults_;
  std::set<std::string> redirected_;
  LoopbackServer server_;  // last: its threads use the rest
};

}  // namespace plume::tests

// Listening, accepting, and the end of it.
#include "unet/serve/http/server.hpp"

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <new>
#include <thread>
#include <utility>

#include "kernels/base/error.hpp"
#include "unet/serve/http/connection.hpp"
#include "unet/serve/http/connections.hpp"

namespace plume::serve::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t other_files = 128;  // that a process keeps open besides connections
constexpr milliseconds retry_accept{50};  // where the system has no more room for a connection

// As many files as the system lets this process open.
std::size_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return static_cast<std::size_t>(limit.rlim_cur);
}

// Lets the system drop what arrives for a listening socket, so that no client's connection comes to stand any more.
void drop_packets(int listening) {
  sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &drop};
  static_cast<void>(::setsockopt(listening, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
}

tcp::endpoint endpoint_of(const ServerSettings& settings) {
  ErrorCode error;
  const auto address = asio::ip::make_address(settings.host == "localhost" ? "127.0.0.1" : settings.host, error);
  if (error) throw usage_error("--host {} is no address: 127.0.0.1 serves this machine, 0.0.0.0 all", settings.host);
  return {address, static_cast<std::uint16_t>(settings.port)};
}

}  // namespace

class Server::Implementation {
 public:
  Implementation(const ServerSettings& settings, Handler& handler, Budget& budget, Counts& counts)
      : connections_(settings, handler, budget, counts), acceptor_(connections_.context), retry_(connections_.context) {
    const std::size_t files = raise_file_limit();
    const std::size_t room = files > 2 * other_files ? files - other_files : files / 2;
    connections_.settings.max_connections = std::min(settings.max_connections, room);
    listen(endpoint_of(settings));
  }

  ~Implementation() {
    work_.reset();
    connections_.context.stop();
    if (thread_.joinable()) thread_.join();
    connections_.on_closed = {};
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  void start() {
    accept();
    thread_ = std::thread([this] { run(); });
  }

  bool drain(milliseconds limit) {
    auto empty = drained_.get_future();
    asio::post(connections_.context, [this] { begin_draining(); });
    return empty.wait_for(limit) == std::future_status::ready;
  }

  [[nodiscard]] int port() const { return port_; }

 private:
  void listen(const tcp::endpoint& endpoint) {
    ErrorCode error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      throw environment_error("cannot listen on {} port {}: {}", endpoint.address().to_string(), endpoint.port(),
                              error.message());
    }
    port_ = acceptor_.local_endpoint().port();
  }

  // A connection that memory runs out for ends; the others go on.
  void run() {
    while (true) {
      try {
        connections_.context.run();
        return;
      } catch (const std::bad_alloc&) {
        ++connections_.counts.broken;
      }
    }
  }

  void accept() {
    accepting_ = true;
    acceptor_.async_accept([this](const ErrorCode& error, tcp::socket socket) {
      accepting_ = false;
      if (!error) take(std::move(socket));
      if (!acceptor_.is_open()) return connections_.on_closed();
      if (!error) return accept();
      evict_one();
      retry_.expires_after(retry_accept);
      retry_.async_wait([this](const ErrorCode& cancelled) {
        if (!cancelled && acceptor_.is_open()) accept();
      });
    });
  }

  void take(tcp::socket socket) {
    ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    ++connections_.counts.accepted;
    const bool full = connections_.counts.open >= connections_.settings.max_connections && !evict_one();
    const auto connection = std::make_shared<Connection>(std::move(socket), connections_);
    if (full) {
      connection->turn_away();
    } else {
      connection->start();
    }
  }

  // Ends the connection that has had no request for longest.
  bool evict_one() {
    if (connections_.idle.empty()) return false;
    connections_.idle.front()->evict();
    return true;
  }

  // Whom the system has accepted is served as well, so first it is kept from accepting more: closing would reset them.
  void begin_draining() {
    connections_.draining = true;
    ErrorCode error;
    drop_packets(acceptor_.native_handle());
    acceptor_.non_blocking(true, error);
    while (!error) {
      tcp::socket socket(connections_.context);
      acceptor_.accept(socket, error);
      if (!error) take(std::move(socket));
    }
    acceptor_.close(error);
    for (Connection* const connection : connections_.all) connection->drain();
    connections_.on_closed = [this] {
      if (connections_.all.empty() && !accepting_ && !std::exchange(told_, true)) drained_.set_value();
    };
    connections_.on_closed();
  }

  Connections connections_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{connections_.context.get_executor()};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  bool accepting_ = false;  // a connection may have come, of which the handler has not been told yet
  int port_ = 0;
  std::promise<void> drained_;
  bool told_ = false;
  std::thread thread_;
};

Server::Server(const ServerSettings& settings, Handler& handler, Budget& budget, Counts& counts)
    : implementation_(std::make_unique<Implementation>(settings, handler, budget, counts)) {}
Server::~Server() = default;

void Server::start() {
  implementation_->start();
}

bool Server::drain(milliseconds limit) {
  return implementation_->drain(limit);
}

int Server::port() const {
  return implementation_->port();
}

}  // namespace plume::serve::http

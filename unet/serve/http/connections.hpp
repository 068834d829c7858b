// What all connections of a server share; only the server's thread touches it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <list>
#include <memory>
#include <random>
#include <string>

#include "unet/serve/http/server.hpp"
#include "unet/serve/task_thread.hpp"

namespace plume::serve::http {

class Connection;

struct Connections {
  Connections(const ServerSettings& settings, Handler& handler, Budget& budget, Counts& counts)
      : settings(settings), handler(handler), budget(budget), counts(counts) {}

  ServerSettings settings;
  Handler& handler;
  Budget& budget;
  Counts& counts;
  std::list<Connection*> all;
  std::list<Connection*> idle;  // without a request, those that have been so longest first
  bool draining = false;
  std::function<void()> on_closed;
  std::mt19937_64 random{std::random_device{}()};
  TaskThread log{10'000};              // writes lines: whoever reads them slowly holds up no request
  boost::asio::io_context context{1};  // the last, as it owns connections, which use what stands above
};

}  // namespace plume::serve::http

// How a handler's answer comes back to its connection.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <utility>

#include "unet/serve/http/message.hpp"

namespace plume::serve::http {

class Connection;

// A reply that may be called from any thread. It hands the connection back to the server's, where it ends; one that is
// dropped uncalled still answers.
class Answerer {
 public:
  Answerer(std::shared_ptr<Connection> connection, std::string id, boost::asio::io_context& context,
           void (*answer)(Connection&, Response))
      : connection_(std::move(connection)), id_(std::move(id)), context_(context), answer_(answer) {}
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;
  ~Answerer() {
    if (connection_) (*this)(problem(Status::internal_server_error, "the request was dropped", id_));
  }

  void operator()(Response response) {
    if (!connection_) return;
    boost::asio::post(
        context_, [connection = std::move(connection_), answer = answer_, response = std::move(response)]() mutable {
          answer(*connection, std::move(response));
        });
  }

 private:
  std::shared_ptr<Connection> connection_;
  std::string id_;
  boost::asio::io_context& context_;
  void (*answer_)(Connection&, Response);
};

}  // namespace plume::serve::http

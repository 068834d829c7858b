// One connection to one server, with or without TLS, whose operations end in time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <functional>
#include <optional>

#include "cloud/http/transport.hpp"

namespace plume::cloud {

// When a request's operations must have ended.
class TimeLimits {
 public:
  explicit TimeLimits(const HttpRequest& request);
  // Of one that begins now and may take so long, 0: as long as it takes; nothing: it may take for ever.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> end_of(std::chrono::milliseconds most) const;
  [[nodiscard]] bool cancelled() const { return request_.cancelled != nullptr && request_.cancelled->load(); }

 private:
  const HttpRequest& request_;
  std::optional<std::chrono::steady_clock::time_point> end_;
};

class DirectConnection {
 public:
  // `tls` nullptr: without. It outlives the connection.
  explicit DirectConnection(boost::asio::ssl::context* tls);

  // Throws TransportError. Connects, and verifies who answers.
  void open(const Url& url, const TimeLimits& limits, std::chrono::milliseconds most);

  // Runs an operation that `start` begins on the stream that it is given, with a handler to be called with an error code
  // and a count; returns the error code. Its time is limited, and Beast's timeout is what passing the limit gives.
  template <class Start>
  boost::system::error_code run(const TimeLimits& limits, std::chrono::milliseconds most, Start&& start) {
    set_limit(limits.end_of(most));
    std::optional<boost::system::error_code> outcome;
    const auto handler = [&outcome](boost::system::error_code error, auto&&...) { outcome = error; };
    if (secure_) {
      start(*secure_, handler);
    } else {
      start(plain(), handler);
    }
    wait(outcome, limits);
    return *outcome;
  }

  [[nodiscard]] boost::beast::flat_buffer& buffer() { return buffer_; }

 private:
  boost::beast::tcp_stream& plain() { return secure_ ? secure_->next_layer() : *plain_; }
  void set_limit(std::optional<std::chrono::steady_clock::time_point> end);
  void wait(const std::optional<boost::system::error_code>& outcome, const TimeLimits& limits);

  boost::asio::io_context context_{1};
  std::optional<boost::beast::tcp_stream> plain_;
  std::optional<boost::asio::ssl::stream<boost::beast::tcp_stream>> secure_;
  boost::beast::flat_buffer buffer_;  // what came and is not parsed yet
};

// The transport's error for an operation's, naming who was talked to.
[[nodiscard]] TransportError transport_error(const std::string& what, boost::system::error_code error);

}  // namespace plume::cloud

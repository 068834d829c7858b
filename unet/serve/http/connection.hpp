// One client's connection: reads a request, has it answered, and goes on with the next.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unet/serve/budget.hpp"
#include "unet/serve/http/connections.hpp"
#include "unet/serve/http/message.hpp"

namespace plume::serve::http {

// All calls come on the server's thread. What is at hand is in phase_; one timer limits each phase.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, Connections& all);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  // Answers that there is no room, and ends.
  void turn_away();
  // Ends a connection that has no request.
  void evict();
  // To be called when the server begins to end: without a request it may still send one, but soon.
  void drain();

 private:
  enum class Phase { idle, header, body, handling, writing, lingering, closed };
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using ErrorCode = boost::system::error_code;
  using Clock = std::chrono::steady_clock;

  void join();
  void wait_for_request();
  void begin_request();
  void read();
  void on_read(const ErrorCode& error, std::size_t bytes);
  // Gives the parser what was read. Begins the next read, the answer, or a refusal.
  void parse();
  // What answer and log need of a header.
  void note_header();
  // Whether the request may go on; if not, it has been refused.
  [[nodiscard]] bool accept_header();
  [[nodiscard]] bool count_body();
  [[nodiscard]] bool write_continue();
  void on_parse_error(const ErrorCode& error);
  void handle();
  void answer(Response response);
  // An answer before the request was read to its end, which ends the connection.
  void refuse(Status status, std::string_view detail);
  void on_written(const ErrorCode& error);
  // Sends the end, and reads on for a while: closing at once would tear the answer from who is still sending.
  void linger();
  void discard();
  void close();

  void enter(Phase phase, std::chrono::milliseconds limit);
  void on_timeout();
  [[nodiscard]] std::chrono::milliseconds idle_limit() const;
  // Of a transfer that has come to so many bytes.
  [[nodiscard]] std::chrono::milliseconds time_left(std::size_t bytes) const;
  void leave_idle();
  void note_answer();

  boost::asio::ip::tcp::socket socket_;
  boost::asio::ip::address remote_;  // for the access log
  Connections& all_;
  std::list<Connection*>::iterator place_;
  std::optional<std::list<Connection*>::iterator> idle_place_;
  boost::asio::steady_timer timer_;
  Phase phase_ = Phase::closed;  // until it joins the others
  bool last_ = false;            // no request after this one,
  bool told_to_close_ = false;   // and its answer has said so

  // Of the request at hand.
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Share share_;
  Clock::time_point begun_{};
  Clock::time_point transfer_begun_{};  // of its body, then of its answer
  bool head_only_ = false;
  std::size_t body_bytes_ = 0;
  std::string id_;
  std::string method_;
  std::string path_;
  std::vector<Header> headers_;

  // Of its answer.
  Status status_ = Status::ok;
  std::string header_text_;
  std::string body_text_;
  std::size_t written_ = 0;
};

}  // namespace plume::serve::http

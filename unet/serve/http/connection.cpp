// The phases of a request: header, body, handling, answer; Boost.Beast parses, Boost.Asio waits.
#include "unet/serve/http/connection.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "unet/serve/http/answerer.hpp"
#include "unet/serve/http/head.hpp"

namespace plume::serve::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast::http;
using std::chrono::milliseconds;

constexpr std::size_t read_bytes = std::size_t{64} << 10;
constexpr std::ptrdiff_t most_headers = 128;       // many small ones are much work, too
constexpr std::size_t spare_bytes = 64;            // behind a body, for parsers that read some bytes at a time
constexpr milliseconds last_request_grace{1'000};  // for who keeps a connection open while the server ends
constexpr milliseconds linger_limit{2'000};
constexpr milliseconds linger_limit_draining{250};

template <class Text>
std::string_view view(const Text& text) {
  return {text.data(), text.size()};
}

// Each name once, its values joined (RFC 9110, 5.3).
std::vector<Header> headers_of(const beast::fields& fields) {
  std::vector<Header> headers;
  for (const auto& field : fields) {
    const std::string_view name = view(field.name_string());
    const auto known =
        std::find_if(headers.begin(), headers.end(), [&](const Header& h) { return same_name(h.name, name); });
    if (known == headers.end()) {
      headers.push_back({std::string(name), std::string(view(field.value()))});
    } else {
      known->value.append(", ").append(view(field.value()));
    }
  }
  return headers;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, Connections& all)
    : socket_(std::move(socket)),
      all_(all),
      timer_(all.context),
      buffer_(all.settings.max_header + read_bytes),
      share_(all.budget) {
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  // Later it may be gone.
  if (all_.settings.access_log) remote_ = socket_.remote_endpoint(ignored).address();
}

// Where memory ran out in the middle of something, this is how a connection ends.
Connection::~Connection() {
  close();
}

void Connection::join() {
  place_ = all_.all.insert(all_.all.end(), this);
  phase_ = Phase::idle;
  ++all_.counts.open;
}

void Connection::start() {
  join();
  wait_for_request();
}

void Connection::turn_away() {
  join();
  begin_request();
  refuse(Status::service_unavailable, "too many connections");
}

void Connection::evict() {
  ++all_.counts.evicted;
  close();
}

void Connection::drain() {
  if (phase_ == Phase::idle) enter(Phase::idle, idle_limit());
}

// An idle connection has no buffer: thousands of them cost little.
void Connection::wait_for_request() {
  leave_idle();
  idle_place_ = all_.idle.insert(all_.idle.end(), this);
  enter(Phase::idle, idle_limit());
  socket_.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    if (self->phase_ != Phase::idle) return;
    if (error) return self->close();
    self->begin_request();
    self->read();
  });
}

void Connection::begin_request() {
  leave_idle();
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(all_.settings.max_header));
  parser_->body_limit(all_.settings.max_body);
  head_only_ = false;
  body_bytes_ = 0;
  id_.clear();
  method_.clear();
  path_.clear();
  begun_ = Clock::now();
  enter(Phase::header, all_.settings.header_timeout);
}

void Connection::read() {
  const std::size_t room = std::min(read_bytes, buffer_.max_size() - buffer_.size());
  if (room == 0) return refuse(Status::bad_request, "the header of a chunk is too long");
  socket_.async_read_some(
      buffer_.prepare(room),
      [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) { self->on_read(error, bytes); });
}

void Connection::on_read(const ErrorCode& error, std::size_t bytes) {
  if (phase_ != Phase::header && phase_ != Phase::body) return;
  if (error) return close();  // no one is left who would read an answer
  buffer_.commit(bytes);
  parse();
}

void Connection::parse() {
  while (!parser_->is_done()) {
    if (buffer_.size() == 0) return read();
    ErrorCode error;
    buffer_.consume(parser_->put(buffer_.data(), error));
    if (error && error != beast::error::need_more) return on_parse_error(error);
    if (!parser_->is_header_done()) return read();
    if (phase_ == Phase::header && !accept_header()) return;
    if (!count_body()) return;
    if (error) return read();
  }
  handle();
}

bool Connection::count_body() {
  const std::size_t bytes = parser_->get().body().size();
  if (!share_.grow(bytes - std::exchange(body_bytes_, bytes))) {
    refuse(Status::service_unavailable, "the requests at hand take all the memory that there is for them");
    return false;
  }
  enter(Phase::body, time_left(bytes));
  return true;
}

void Connection::note_header() {
  const auto& message = parser_->get();
  method_ = view(message.method_string());
  path_ = path_of(view(message.target()));
  head_only_ = method_ == "HEAD";
  const std::string_view id = view(message["X-Request-Id"]);
  if (is_request_id(id)) id_ = id;
}

bool Connection::accept_header() {
  note_header();
  const auto& message = parser_->get();
  if (!message.keep_alive()) last_ = true;
  const auto refused = [this](Status status, std::string_view detail) {
    refuse(status, detail);
    return false;
  };
  if (std::distance(message.begin(), message.end()) > most_headers) {
    return refused(Status::header_fields_too_large, fmt::format("a request may have {} headers at most", most_headers));
  }
  const auto codings = message.count(beast::field::transfer_encoding);
  if (codings > 0 && message.version() < 11) {
    return refused(Status::bad_request, "HTTP/1.0 has no transfer codings");
  }
  if (codings > 1 || (codings == 1 && !same_name(view(message[beast::field::transfer_encoding]), "chunked"))) {
    return refused(Status::not_implemented, "of transfer codings only chunked is known");
  }
  if (message.version() >= 11 && message.count(beast::field::host) != 1) {
    return refused(Status::bad_request, "HTTP/1.1 asks for one Host header");
  }
  const std::string_view expected = message.version() < 11 ? "" : view(message[beast::field::expect]);
  if (!expected.empty() && !same_name(expected, "100-continue")) {
    return refused(Status::expectation_failed, "of expectations only 100-continue is known");
  }
  if (!expected.empty() && buffer_.size() == 0 && !parser_->is_done() && !write_continue()) return false;
  if (const auto length = parser_->content_length()) {
    parser_->get().body().reserve(static_cast<std::size_t>(*length) + spare_bytes);
  }
  headers_ = headers_of(message.base());  // now: what trails behind chunks is no header
  parser_->eager(true);
  transfer_begun_ = Clock::now();
  return true;
}

// The client waits for it before it sends the body, so there is room for a line in what the system sends.
bool Connection::write_continue() {
  static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  ErrorCode error;
  if (socket_.write_some(asio::buffer(line.data(), line.size()), error) == line.size()) return true;
  close();
  return false;
}

void Connection::on_parse_error(const ErrorCode& error) {
  if (error == beast::error::body_limit) {
    note_header();
    return refuse(Status::content_too_large, fmt::format("a body may have {} bytes at most", all_.settings.max_body));
  }
  if (error == beast::error::header_limit) {
    return refuse(Status::header_fields_too_large,
                  fmt::format("request line and headers may have {} bytes at most", all_.settings.max_header));
  }
  refuse(Status::bad_request, fmt::format("this is no HTTP/1.0 or HTTP/1.1 request: {}", error.message()));
}

void Connection::handle() {
  timer_.cancel();
  phase_ = Phase::handling;
  if (id_.empty()) id_ = fmt::format("{:016x}", all_.random());
  Request request{method_, path_, std::move(headers_), std::move(parser_->get().body()), id_};
  parser_.reset();
  const auto answerer =
      std::make_shared<Answerer>(shared_from_this(), id_, all_.context, [](Connection& connection, Response response) {
        if (connection.phase_ == Phase::handling) connection.answer(std::move(response));
      });
  all_.handler.handle(std::move(request), [answerer](Response response) { (*answerer)(std::move(response)); });
}

void Connection::refuse(Status status, std::string_view detail) {
  last_ = true;
  if (id_.empty()) id_ = fmt::format("{:016x}", all_.random());
  answer(problem(status, detail, id_));
}

void Connection::answer(Response response) {
  if (all_.draining) last_ = true;
  told_to_close_ = last_;
  status_ = response.status;
  header_text_ = head_of(response, id_, told_to_close_, all_.settings.retry_after);
  body_text_ = std::move(response.body);
  share_.force(body_text_.size());
  transfer_begun_ = Clock::now();
  written_ = 0;
  enter(Phase::writing, time_left(0));
  const std::array<asio::const_buffer, 2> parts{asio::buffer(header_text_),
                                                head_only_ ? asio::const_buffer() : asio::buffer(body_text_)};
  const auto count = [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
    self->written_ = bytes;
    return asio::transfer_all()(error, bytes);
  };
  asio::async_write(socket_, parts, count,
                    [self = shared_from_this()](const ErrorCode& error, std::size_t) { self->on_written(error); });
}

void Connection::on_written(const ErrorCode& error) {
  note_answer();
  body_text_ = {};
  share_.clear();
  if (phase_ != Phase::writing) return;
  if (error) return close();
  if (told_to_close_) return linger();
  if (buffer_.size() == 0) {
    buffer_.shrink_to_fit();
    return wait_for_request();
  }
  begin_request();
  parse();
}

void Connection::linger() {
  ErrorCode ignored;
  socket_.cancel(ignored);  // a read that was under way when the request was refused
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  buffer_.consume(buffer_.size());
  idle_place_ = all_.idle.insert(all_.idle.begin(), this);
  enter(Phase::lingering, all_.draining ? linger_limit_draining : linger_limit);
  discard();
}

void Connection::discard() {
  socket_.async_read_some(buffer_.prepare(read_bytes),
                          [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                            if (self->phase_ != Phase::lingering) return;
                            if (error) return self->close();
                            self->discard();
                          });
}

void Connection::close() {
  if (std::exchange(phase_, Phase::closed) == Phase::closed) return;
  leave_idle();
  timer_.cancel();
  ErrorCode ignored;
  socket_.close(ignored);
  share_.clear();
  --all_.counts.open;
  all_.all.erase(place_);
  if (all_.on_closed) all_.on_closed();
}

void Connection::enter(Phase phase, milliseconds limit) {
  phase_ = phase;
  timer_.expires_after(limit);
  timer_.async_wait([weak = weak_from_this()](const ErrorCode& error) {
    const auto self = weak.lock();
    // One that was on its way when the timer was set anew is not meant.
    if (error || !self || self->timer_.expiry() > Clock::now()) return;
    self->on_timeout();
  });
}

void Connection::on_timeout() {
  switch (phase_) {
    case Phase::header: return refuse(Status::request_timeout, "the request's header did not arrive in time");
    case Phase::body: return refuse(Status::request_timeout, "the request's body came too slowly");
    case Phase::writing:
      if (time_left(taken()) <= milliseconds(0)) return close();
      return enter(Phase::writing, time_left(taken()));
    case Phase::idle:
    case Phase::lingering: return close();
    case Phase::handling:
    case Phase::closed: return;
  }
}

std::size_t Connection::taken() {
  int held = 0;
  if (::ioctl(socket_.native_handle(), SIOCOUTQ, &held) != 0) return written_;
  return written_ - std::min(written_, static_cast<std::size_t>(held));
}

milliseconds Connection::time_left(std::size_t bytes) const {
  const milliseconds limit =
      all_.settings.transfer_timeout + milliseconds(bytes * 1000 / all_.settings.slowest_transfer);
  return std::chrono::ceil<milliseconds>(transfer_begun_ + limit - Clock::now());
}

milliseconds Connection::idle_limit() const {
  return all_.draining ? last_request_grace : all_.settings.idle_timeout;
}

void Connection::leave_idle() {
  if (idle_place_) all_.idle.erase(*std::exchange(idle_place_, std::nullopt));
}

void Connection::note_answer() {
  const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  all_.counts.seconds.observe(seconds);
  ++all_.counts.answers[static_cast<std::size_t>(status_)];
  if (!all_.settings.access_log) return;
  const nlohmann::ordered_json line{{"time", date()},          {"remote", remote_.to_string()},
                                    {"request_id", id_},       {"method", method_},
                                    {"path", path_},           {"status", static_cast<int>(status_)},
                                    {"bytes_in", body_bytes_}, {"bytes_out", body_text_.size()},
                                    {"seconds", seconds}};
  const auto write = [text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"] {
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
  };
  if (!all_.log.post(write)) ++all_.counts.unlogged;
}

}  // namespace plume::serve::http

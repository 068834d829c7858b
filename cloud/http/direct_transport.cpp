// A request's text and body go out, Boost.Beast parses what comes back.
#include "cloud/http/direct_transport.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/read.hpp>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <mutex>
#include <vector>

#include "cloud/http/direct_connection.hpp"

namespace plume::cloud {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Kind = TransportError::Kind;
using std::chrono::milliseconds;

constexpr std::size_t buffer_size = 64UL * 1024;

bool has_body(const HttpRequest& request) {
  return request.body != nullptr || request.method == "PUT" || request.method == "POST";
}

// The request line and the header.
std::string head_of(const HttpRequest& request) {
  const Url& url = request.url;
  std::string head = fmt::format("{} {}{}{} HTTP/1.1\r\n", request.method, url.path.empty() ? "/" : url.path,
                                 url.query.empty() ? "" : "?", url.query);
  if (find_header(request.headers, "host") == nullptr) head += fmt::format("Host: {}\r\n", url.authority());
  for (const Header& header : request.headers) head += fmt::format("{}: {}\r\n", header.name, header.value);
  if (has_body(request))
    head += fmt::format("Content-Length: {}\r\n", request.body == nullptr ? 0 : request.body->size());
  return head + "\r\n";
}

// One attempt on one connection.
class Exchange {
 public:
  Exchange(const HttpRequest& request, DirectConnection& connection, const TimeLimits& limits, std::size_t most_kept)
      : request_(request), connection_(connection), limits_(limits), most_kept_(most_kept) {}

  HttpResponse run() {
    write();
    read_head();
    read_body();
    return std::move(response_);
  }
  // Whether the server has said anything: if so, the request must not be sent again unasked.
  [[nodiscard]] bool answered() const noexcept { return answered_; }
  [[nodiscard]] bool reusable() const { return complete_ && sent_ && parser_->get().keep_alive(); }

 private:
  void write() {
    std::string head = head_of(request_);
    boost::system::error_code failed = send(asio::buffer(head));
    if (request_.body != nullptr) request_.body->rewind();
    std::vector<std::byte> buffer(request_.body == nullptr ? 0 : buffer_size);
    while (!failed && request_.body != nullptr) {
      const std::size_t size = request_.body->read(buffer);
      if (size == 0) break;
      failed = send(asio::buffer(buffer.data(), size));
    }
    sent_ = !failed;
    // A server that wants no more of it may have said why.
    if (failed == boost::beast::error::timeout || failed == asio::error::operation_aborted) fail(failed);
  }

  boost::system::error_code send(asio::const_buffer bytes) {
    return connection_.run(limits_, request_.timeouts.stall,
                           [&](auto& stream, auto handler) { asio::async_write(stream, bytes, handler); });
  }

  void read_head() {
    do {  // what begins with 1xx has another reply behind it
      parser_.emplace();
      parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
      parser_->skip(request_.method == "HEAD");
      const auto failed = connection_.run(limits_, request_.timeouts.stall, [&](auto& stream, auto handler) {
        http::async_read_header(stream, connection_.buffer(), *parser_, handler);
      });
      answered_ = answered_ || parser_->got_some() || connection_.buffer().size() > 0;
      if (failed) fail(failed);
    } while (parser_->get().result_int() / 100 == 1);
    response_.status = static_cast<int>(parser_->get().result_int());
    for (const auto& field : parser_->get())
      response_.headers.push_back({std::string(field.name_string().data(), field.name_string().size()),
                                   std::string(field.value().data(), field.value().size())});
    to_sink_ = request_.sink != nullptr && response_.ok();
    if (to_sink_) request_.sink->begin(response_);
  }

  void read_body() {
    std::vector<char> buffer(buffer_size);
    while (!parser_->is_done()) {
      auto& body = parser_->get().body();
      body.data = buffer.data();
      body.size = buffer.size();
      auto failed = connection_.run(limits_, request_.timeouts.stall, [&](auto& stream, auto handler) {
        http::async_read_some(stream, connection_.buffer(), *parser_, handler);
      });
      if (failed == http::error::need_buffer) failed = {};
      take(std::string_view(buffer.data(), buffer.size() - body.size));
      if (failed) fail(failed);
    }
    complete_ = true;
  }

  void take(std::string_view bytes) {
    if (bytes.empty()) return;
    if (to_sink_) {
      request_.sink->write(as_bytes(bytes));
    } else {
      cloud::keep(response_, bytes, most_kept_, request_.url);
    }
  }
  static std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

  [[noreturn]] void fail(boost::system::error_code error) const {
    throw transport_error(request_.method + ' ' + request_.url.authority(), error);
  }

  const HttpRequest& request_;
  DirectConnection& connection_;
  const TimeLimits& limits_;
  std::size_t most_kept_;
  std::optional<http::response_parser<http::buffer_body>> parser_;
  HttpResponse response_;
  bool answered_ = false;
  bool to_sink_ = false;
  bool sent_ = false;
  bool complete_ = false;
};

class DirectTransport final : public Transport {
 public:
  explicit DirectTransport(TransportSettings settings) : settings_(std::move(settings)) {}

  HttpResponse send(const HttpRequest& request) override {
    check_headers(request);
    const TimeLimits limits(request);
    if (auto kept = take_kept(request.url)) {
      if (auto response = exchange(request, kept, limits, true)) return *std::move(response);
    }
    auto fresh = std::make_unique<DirectConnection>(request.url.scheme == "https" ? &tls(request.url) : nullptr);
    fresh->open(request.url, limits, request.timeouts.connect);
    return *exchange(request, fresh, limits, false);
  }

 private:
  using Connection = std::unique_ptr<DirectConnection>;

  // Nothing where a kept connection turns out to be closed.
  std::optional<HttpResponse> exchange(const HttpRequest& request, Connection& connection, const TimeLimits& limits,
                                       bool kept) {
    Exchange attempt(request, *connection, limits, settings_.most_kept);
    try {
      HttpResponse response = attempt.run();
      if (attempt.reusable()) keep(request.url, std::move(connection));
      return response;
    } catch (const TransportError& error) {
      if (!kept || attempt.answered() || error.kind() != Kind::broken) throw;
      return std::nullopt;
    }
  }

  static std::string key_of(const Url& url) { return url.scheme + "://" + url.authority(); }

  Connection take_kept(const Url& url) {
    const std::lock_guard lock(mutex_);
    auto& kept = kept_[key_of(url)];
    if (kept.empty()) return nullptr;
    Connection connection = std::move(kept.back());
    kept.pop_back();
    return connection;
  }

  void keep(const Url& url, Connection connection) {
    const std::lock_guard lock(mutex_);
    auto& kept = kept_[key_of(url)];
    if (kept.size() < settings_.connections) kept.push_back(std::move(connection));
  }

  asio::ssl::context& tls(const Url& url) {
    const std::lock_guard lock(mutex_);
    if (tls_) return *tls_;
    asio::ssl::context made(asio::ssl::context::tls_client);
    ::SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    made.set_verify_mode(asio::ssl::verify_peer);
    const std::string file = trusted_file();
    boost::system::error_code failed;
    made.load_verify_file(file, failed);
    if (failed)
      throw TransportError(Kind::refused, fmt::format("{}: {} holds no certificates to trust", url.authority(), file));
    return tls_.emplace(std::move(made));
  }

  [[nodiscard]] std::string trusted_file() const {
    if (!settings_.ca_bundle.empty()) return settings_.ca_bundle;
    if (const char* const file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') return file;
    // Amazon Linux and Fedora; Debian and Ubuntu; SUSE.
    for (const char* const file :
         {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/ca-bundle.pem"})
      if (std::filesystem::exists(file)) return file;
    return "/etc/pki/tls/certs/ca-bundle.crt";
  }

  TransportSettings settings_;
  std::mutex mutex_;  // for all below
  std::optional<asio::ssl::context> tls_;
  std::map<std::string, std::vector<Connection>> kept_;
};

}  // namespace

std::unique_ptr<Transport> make_direct_transport(const TransportSettings& settings) {
  return std::make_unique<DirectTransport>(settings);
}

}  // namespace plume::cloud

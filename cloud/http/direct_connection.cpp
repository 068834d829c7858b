// Asynchronous operations, each waited for: that is how Asio limits their time.
#include "cloud/http/direct_connection.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/error.hpp>

namespace plume::cloud {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::string bare_host(const Url& url) {
  const bool brackets = url.host.starts_with('[') && url.host.ends_with(']');
  return brackets ? url.host.substr(1, url.host.size() - 2) : url.host;
}

}  // namespace

TimeLimits::TimeLimits(const HttpRequest& request) : request_(request) {
  if (request.timeouts.whole.count() > 0) end_ = steady_clock::now() + request.timeouts.whole;
}

std::optional<steady_clock::time_point> TimeLimits::end_of(milliseconds most) const {
  if (most.count() <= 0) return end_;
  const auto own = steady_clock::now() + most;
  return end_ ? std::min(own, *end_) : own;
}

DirectConnection::DirectConnection(asio::ssl::context* tls) {
  if (tls != nullptr) {
    secure_.emplace(context_, *tls);
  } else {
    plain_.emplace(context_);
  }
}

void DirectConnection::set_limit(std::optional<steady_clock::time_point> end) {
  if (end) {
    plain().expires_at(*end);
  } else {
    plain().expires_never();
  }
}

void DirectConnection::wait(const std::optional<boost::system::error_code>& outcome, const TimeLimits& limits) {
  constexpr milliseconds glance{50};
  context_.restart();
  while (!outcome) {
    context_.run_one_for(glance);
    if (!outcome && limits.cancelled()) {
      plain().cancel();
      while (!outcome) context_.run_one();
    }
    if (context_.stopped()) context_.restart();
  }
}

void DirectConnection::open(const Url& url, const TimeLimits& limits, milliseconds most) {
  const std::string host = bare_host(url);
  const std::string port = !url.port.empty() ? url.port : url.scheme == "https" ? "443" : "80";
  boost::system::error_code failed;
  const auto addresses = asio::ip::tcp::resolver(context_).resolve(host, port, failed);
  if (failed) throw TransportError(TransportError::Kind::unreachable, url.authority() + ": " + failed.message());
  const auto fail = [&](boost::system::error_code error) {
    TransportError found = transport_error(url.authority(), error);
    if (found.kind() != TransportError::Kind::broken) throw found;
    throw TransportError(TransportError::Kind::unreachable, found.what());
  };
  failed = run(limits, most, [&](auto&, auto handler) { plain().async_connect(addresses, handler); });
  if (limits.cancelled()) throw TransportError(TransportError::Kind::cancelled, url.authority() + ": cancelled");
  if (failed) fail(failed);
  plain().socket().set_option(asio::ip::tcp::no_delay(true), failed);
  if (!secure_) return;
  ::SSL_set_tlsext_host_name(secure_->native_handle(), host.c_str());
  secure_->set_verify_callback(asio::ssl::host_name_verification(host));
  failed = run(limits, most,
               [&](auto&, auto handler) { secure_->async_handshake(asio::ssl::stream_base::client, handler); });
  if (failed) fail(failed);
}

TransportError transport_error(const std::string& what, boost::system::error_code error) {
  using Kind = TransportError::Kind;
  const std::string text = what + ": " + error.message();
  if (error == boost::beast::error::timeout) return {Kind::timeout, what + ": no answer in time"};
  if (error == asio::error::operation_aborted) return {Kind::cancelled, what + ": cancelled"};
  // Of OpenSSL's errors those about certificates are the other side's fault for good.
  const bool untrusted = error.category() == asio::error::get_ssl_category() &&
                         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED;
  return {untrusted ? Kind::refused : Kind::broken, text};
}

}  // namespace plume::cloud

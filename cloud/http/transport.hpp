// Sends a request and waits for its reply; what lies between here and there is behind this interface.
#pragma once

#include <memory>
#include <string>

#include "cloud/error.hpp"
#include "cloud/http/message.hpp"

namespace plume::cloud {

// No reply came, or not all of it.
class TransportError : public Error {
 public:
  enum class Kind {
    unreachable,  // no such name, nobody listens
    broken,       // the connection ended amid the request or its reply
    timeout,
    refused,    // the other side's certificate is not trusted, the address is none, the reply has no end
    cancelled,  // HttpRequest::cancelled
  };
  TransportError(Kind kind, const std::string& message)
      : Error(kind == Kind::timeout ? Failure::timeout : Failure::unavailable, message), kind_(kind) {}
  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  // Whether the same request may succeed a little later.
  [[nodiscard]] bool transient() const noexcept { return kind_ != Kind::refused && kind_ != Kind::cancelled; }

 private:
  Kind kind_;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Safe to call from several threads. Throws TransportError, and what the body or the sink throws.
  [[nodiscard]] virtual HttpResponse send(const HttpRequest& request) = 0;
};

// Throws TransportError (refused) where a header would become several.
void check_headers(const HttpRequest& request);

struct TransportSettings {
  std::string ca_bundle{};              // a file of certificates to trust; empty: the system's
  std::size_t connections = 64;         // kept open for another request
  std::size_t most_kept = 256UL << 20;  // bytes of a reply that no sink takes; beyond, it is refused
};

// Adds to a reply's body. Throws TransportError (refused) where it has more than `most` bytes.
void keep(HttpResponse& response, std::string_view bytes, std::size_t most, const Url& from);

// By libcurl: one thread carries all connections, which are reused; HTTP/2 where the other side offers it over TLS.
// Certificates are always verified. Proxies as http_proxy, HTTPS_PROXY, ALL_PROXY and NO_PROXY say.
// Throws environment_error where libcurl cannot be opened.
[[nodiscard]] std::unique_ptr<Transport> make_transport(const TransportSettings& settings = {});

}  // namespace plume::cloud

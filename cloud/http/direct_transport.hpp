// A second transport, for programs that are linked without shared libraries, as libcurl with its thirty cannot be.
#pragma once

#include "cloud/http/transport.hpp"

namespace plume::cloud {

// By Boost.Beast and OpenSSL, in the thread that calls. HTTP/1.1; connections are kept for the next request. It knows no
// proxies. Certificates are always verified, by ca_bundle, else $SSL_CERT_FILE, else where distributions keep them.
// Looking up a name takes as long as the resolver wants, whatever the timeouts say.
[[nodiscard]] std::unique_ptr<Transport> make_direct_transport(const TransportSettings& settings = {});

}  // namespace plume::cloud

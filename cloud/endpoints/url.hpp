// Addresses of HTTP services, in parts.
// Source: RFC 3986, section 3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace plume::cloud {

struct Url {
  std::string scheme;  // http or https
  std::string host;    // a name, an IPv4 address, or an IPv6 address in brackets
  std::string port;    // digits; empty: the scheme's own
  std::string path;    // percent-encoded; begins with a slash, or is empty
  std::string query;   // without '?'

  // Host and port, as the Host header has them: the scheme's own port is left out.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const;
};

// Nothing where the text is no address of http or https: user names and fragments are none either.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text);

[[nodiscard]] bool is_ip_address(std::string_view host);

// Letters, digits and dashes, 1 to 63 of them, not first a dash; with_dots: several such, between dots.
[[nodiscard]] bool is_host_label(std::string_view text, bool with_dots = false);

}  // namespace plume::cloud

// From left to right.
#include "cloud/endpoints/url.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "cloud/signing/headers.hpp"

namespace plume::cloud {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_plain_host_label(std::string_view text) {
  const auto fits = [](char c) { return is_letter_or_digit(c) || c == '-'; };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

std::string Url::authority() const {
  const bool usual = port.empty() || (scheme == "https" && port == "443") || (scheme == "http" && port == "80");
  return usual ? host : host + ':' + port;
}

std::string Url::text() const {
  std::string text = scheme + "://" + authority() + path;
  if (!query.empty()) text += '?' + query;
  return text;
}

std::optional<Url> parse_url(std::string_view text) {
  const auto unusual = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '#' || c == '\x7F'; };
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || std::any_of(text.begin(), text.end(), unusual)) return std::nullopt;
  Url url;
  url.scheme = lower_case(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);
  const std::size_t mark = std::min(text.find('?'), text.size());
  url.query = text.substr(std::min(mark + 1, text.size()));
  text = text.substr(0, mark);
  const std::size_t slash = std::min(text.find('/'), text.size());
  url.path = text.substr(slash);
  const std::string_view authority = text.substr(0, slash);
  const std::size_t bracket = authority.rfind(']');
  const std::size_t port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = authority.substr(0, port);
  if (port != std::string_view::npos) {
    url.port = authority.substr(port + 1);
    const bool digits = std::all_of(url.port.begin(), url.port.end(), is_digit);
    if (!digits || url.port.empty() || url.port.size() > 5) return std::nullopt;
  }
  if (url.host.empty() || url.host.find('@') != std::string::npos) return std::nullopt;
  return url;
}

bool is_ip_address(std::string_view host) {
  in6_addr address{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
  return ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

bool is_host_label(std::string_view text, bool with_dots) {
  if (!with_dots) return is_plain_host_label(text);
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_plain_host_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace plume::cloud

// Written and taken apart by hand: what is harder, Boost.Beast parses.
#include "unet/serve/http/head.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace plume::serve::http {

std::string path_of(std::string_view target) {
  if (!target.starts_with('/')) {
    const auto scheme = target.find("://");
    if (scheme != std::string_view::npos) {
      const auto end = target.find_first_of("/?", scheme + 3);
      target = end == std::string_view::npos || target[end] == '?' ? "/" : target.substr(end);
    }
  }
  return std::string(target.substr(0, target.find('?')));
}

bool is_request_id(std::string_view text) {
  constexpr std::size_t longest = 128;
  return !text.empty() && text.size() <= longest &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

std::string head_of(const Response& response, std::string_view request_id, bool closes,
                    std::chrono::milliseconds retry_after) {
  const Status status = response.status;
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", static_cast<int>(status), phrase(status), date());
  if (!response.content_type.empty()) text += fmt::format("Content-Type: {}\r\n", response.content_type);
  text += fmt::format("Content-Length: {}\r\nX-Request-Id: {}\r\n", response.body.size(), request_id);
  if (status == Status::service_unavailable) {
    text += fmt::format("Retry-After: {}\r\n", std::chrono::ceil<std::chrono::seconds>(retry_after).count());
  }
  for (const Header& header : response.headers) text += fmt::format("{}: {}\r\n", header.name, header.value);
  return text + (closes ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n");
}

}  // namespace plume::serve::http

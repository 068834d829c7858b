// By a table of what may stand.
#include "cloud/signing/percent.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace plume::cloud {
namespace {

constexpr std::array<bool, 256> make_unreserved() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))
    table[static_cast<std::uint8_t>(c)] = true;
  return table;
}
constexpr std::array<bool, 256> unreserved = make_unreserved();

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string percent_encode(std::string_view text, Slashes slashes) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size() + text.size() / 4);
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (unreserved[byte] || (c == '/' && slashes == Slashes::kept)) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += digits[byte >> 4];
      encoded += digits[byte & 15];
    }
  }
  return encoded;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool triple = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (!triple) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
    i += 2;
  }
  return decoded;
}

std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  bool ends_with_slash = false;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    const bool dots = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!segment.empty() && !dots) segments.push_back(segment);
    ends_with_slash = segment.empty() || dots;
    at = end + 1;
  }
  std::string normal;
  for (const std::string_view segment : segments) {
    normal += '/';
    normal += segment;
  }
  if (normal.empty() || ends_with_slash) normal += '/';
  return normal;
}

}  // namespace plume::cloud

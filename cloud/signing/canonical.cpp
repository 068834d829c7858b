// Path, parameters and headers, each brought into the one form.
#include "cloud/signing/canonical.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "cloud/signing/percent.hpp"

namespace plume::cloud {
namespace {

constexpr std::array<std::string_view, 6> left_out{"authorization",     "connection", "expect",
                                                   "transfer-encoding", "user-agent", "x-amzn-trace-id"};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Without blanks at the ends, and with one space for each run of them inside.
void append_trimmed(std::string& text, std::string_view value) {
  // All that could be blanks, to the end: many at a time are faster than one after the other up to the first.
  unsigned low = 0;
  for (const char c : value) low |= static_cast<unsigned>(static_cast<std::uint8_t>(c) <= ' ');
  if (low == 0) {
    text += value;
    return;
  }
  bool blank = false;
  bool begun = false;
  for (const char c : value) {
    if (is_blank(c)) {
      blank = begun;
      continue;
    }
    if (blank) text += ' ';
    text += c;
    blank = false;
    begun = true;
  }
}

void append_path(std::string& text, std::string_view path, PathRules rules) {
  if (path.empty()) {
    text += '/';
    return;
  }
  std::string normal;
  if (rules.without_dots) {
    normal = without_dots(path);
    path = normal;
  }
  if (rules.encoded_again) {
    text += percent_encode(path, Slashes::kept);
  } else {
    text += path;
  }
}

// The headers that are signed, in the order of their names in lower case; values of one name stay in their order.
class CanonicalHeaders {
 public:
  explicit CanonicalHeaders(const Headers& headers) {
    std::size_t size = 0;
    for (const Header& header : headers) size += header.name.size();
    names_.resize(size);
    sorted_.reserve(headers.size());
    char* lower = names_.data();
    for (const Header& header : headers) {
      const std::string_view name(lower, header.name.size());
      for (const char c : header.name) *lower++ = lower_case(c);
      if (std::find(left_out.begin(), left_out.end(), name) != left_out.end()) continue;
      // They are few, so each is put where it belongs.
      const auto behind = std::upper_bound(sorted_.begin(), sorted_.end(), name,
                                           [](std::string_view one, const auto& other) { return one < other.first; });
      sorted_.insert(behind, {name, header.value});
    }
  }
  CanonicalHeaders(const CanonicalHeaders&) = delete;
  CanonicalHeaders& operator=(const CanonicalHeaders&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return sorted_.size(); }
  [[nodiscard]] const auto& operator[](std::size_t i) const { return sorted_[i]; }
  // With a separator each.
  [[nodiscard]] std::size_t size_of_names() const noexcept { return names_.size() + sorted_.size(); }

 private:
  std::string names_;  // all in one piece, of which there are views
  std::vector<std::pair<std::string_view, std::string_view>> sorted_;
};

}  // namespace

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (std::size_t at = 0; at < query.size();) {
    const std::size_t end = std::min(query.find('&', at), query.size());
    const std::string_view parameter = query.substr(at, end - at);
    at = end + 1;
    if (parameter.empty()) continue;
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
    parameters.emplace_back(percent_encode(percent_decode(parameter.substr(0, equals))),
                            percent_encode(percent_decode(value)));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string text;
  for (const auto& [name, value] : parameters) {
    if (!text.empty()) text += '&';
    text += name;
    text += '=';
    text += value;
  }
  return text;
}

CanonicalRequest canonical_request(const RequestView& request, PathRules rules, std::string_view payload_hash) {
  const CanonicalHeaders headers(request.headers);
  CanonicalRequest canonical;
  canonical.signed_headers.reserve(headers.size_of_names());
  std::string& text = canonical.text;
  text.reserve(512);
  text += request.method;
  text += '\n';
  append_path(text, request.path, rules);
  text += '\n';
  text += canonical_query(request.query);
  text += '\n';
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const bool again = i > 0 && headers[i].first == headers[i - 1].first;
    if (!again) {
      if (i > 0) canonical.signed_headers += ';';
      canonical.signed_headers += headers[i].first;
      text += headers[i].first;
    }
    text += again ? ',' : ':';
    append_trimmed(text, headers[i].second);
    if (i + 1 == headers.size() || headers[i + 1].first != headers[i].first) text += '\n';
  }
  text += '\n';
  text += canonical.signed_headers;
  text += '\n';
  text += payload_hash;
  return canonical;
}

}  // namespace plume::cloud

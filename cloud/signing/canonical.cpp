// Path, parameters and headers, each brought into the one form.
#include "cloud/signing/canonical.hpp"

#include <algorithm>
#include <array>
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
  std::vector<std::pair<std::string, std::string_view>> headers;
  headers.reserve(request.headers.size());
  for (const Header& header : request.headers) {
    std::string name = lower_case(header.name);
    if (std::find(left_out.begin(), left_out.end(), name) == left_out.end())
      headers.emplace_back(std::move(name), header.value);
  }
  // Values of one name stay in their order.
  std::stable_sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  CanonicalRequest canonical;
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

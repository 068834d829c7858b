// A local address that answers with keys.
// Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
#include <algorithm>
#include <array>

#include "cloud/credentials/sources.hpp"

namespace plume::cloud {
namespace {

using namespace std::chrono_literals;

// Keys and the token to ask for them go through the air unencrypted, so only to this machine or its agents.
bool may_be_asked(const Url& url) {
  static constexpr std::array<std::string_view, 6> hosts{"localhost",     "127.0.0.1",      "[::1]",
                                                         "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
  const bool loopback = url.host.starts_with("127.") && is_ip_address(url.host);
  return url.scheme == "https" || loopback || std::find(hosts.begin(), hosts.end(), url.host) != hosts.end();
}

std::optional<Url> address(const Surroundings& surroundings) {
  if (const auto relative = surroundings.word("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    const auto url = parse_url("http://169.254.170.2" + *relative);
    if (!url)
      throw cloud_error(Failure::credentials, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path: {}", *relative);
    return url;
  }
  const auto full = surroundings.word("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!full) return std::nullopt;
  const auto url = parse_url(*full);
  if (!url || !may_be_asked(*url))
    throw cloud_error(Failure::credentials,
                      "AWS_CONTAINER_CREDENTIALS_FULL_URI: {} is neither https nor this machine's own", *full);
  return url;
}

std::optional<std::string> authorization(const Surroundings& surroundings) {
  auto token = surroundings.word("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = surroundings.word("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    token = surroundings.file(*file);
    if (!token)
      throw cloud_error(Failure::credentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: cannot read {}", *file);
  }
  if (token && token->find_first_of("\r\n") != std::string::npos)
    throw cloud_error(Failure::credentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN must be one line");
  return token;
}

}  // namespace

std::optional<Credentials> container_credentials(const Surroundings& surroundings) {
  const auto url = address(surroundings);
  if (!url) return std::nullopt;
  HttpRequest request;
  request.method = "GET";
  request.url = *url;
  request.headers = {{"Accept", "application/json"}};
  if (const auto token = authorization(surroundings)) request.headers.push_back({"Authorization", *token});
  request.timeouts = {.connect = 2s, .stall = 2s, .whole = 5s};
  request.by_proxy = false;
  const std::string source = "container " + url->authority();
  HttpResponse response = surroundings.transport->send(request);
  if (!response.ok()) throw cloud_error(Failure::credentials, "{}: status {}", source, response.status);
  return parse_credentials(std::move(response.body), "Token", source);
}

}  // namespace plume::cloud

// EC2's metadata service, version 2: a token first, then questions.
// Source: Amazon EC2 User Guide, "Use the Instance Metadata Service".
#include "cloud/credentials/sources.hpp"

namespace plume::cloud {
namespace {

using namespace std::chrono_literals;

// A machine elsewhere has nobody at that address, so nobody is waited for long.
constexpr Timeouts brief{.connect = 1s, .stall = 1s, .whole = 2s};

class MetadataService {
 public:
  explicit MetadataService(const Config& config) : transport_(*config.surroundings().transport) {
    const auto mode = config.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    const char* const usual =
        mode && same_but_for_case(*mode, "ipv6") ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    const std::string text =
        config.setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint").value_or(usual);
    const auto url = parse_url(text);
    if (!url) throw cloud_error(Failure::usage, "AWS_EC2_METADATA_SERVICE_ENDPOINT is no address: {}", text);
    url_ = *url;
    if (url_.path.ends_with('/')) url_.path.pop_back();
  }

  // False where there is nobody, so that this is no machine of EC2.
  bool open() {
    HttpResponse response;
    try {
      response = send("PUT", "/latest/api/token", {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    } catch (const TransportError&) {
      return false;
    }
    if (response.status == 403)
      throw cloud_error(Failure::credentials, "EC2 metadata service: request forbidden: IMDS is disabled");
    token_ = Secret::take(std::move(response.body));
    return response.ok();
  }

  HttpResponse get(const std::string& path) {
    return send("GET", path, {{"x-aws-ec2-metadata-token", std::string(token_.reveal())}});
  }

 private:
  HttpResponse send(const std::string& method, const std::string& path, Headers headers) {
    HttpRequest request;
    request.method = method;
    request.url = url_;
    request.url.path += path;
    request.headers = std::move(headers);
    request.timeouts = brief;
    request.by_proxy = false;
    return transport_.send(request);
  }

  Transport& transport_;
  Url url_;
  Secret token_;
};

bool is_disabled(const Config& config) {
  return config.is_set("AWS_EC2_METADATA_DISABLED", "ec2_metadata_disabled");
}

}  // namespace

std::optional<Credentials> instance_credentials(const Config& config) {
  if (is_disabled(config)) return std::nullopt;
  MetadataService service(config);
  if (!service.open()) return std::nullopt;
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  const HttpResponse names = service.get(roles);
  if (names.status == 404) return std::nullopt;  // a machine without a role
  if (!names.ok() || names.body.empty())
    throw cloud_error(Failure::credentials, "EC2 metadata service: {}: status {}", roles, names.status);
  const std::string role = names.body.substr(0, names.body.find_first_of(" \r\n"));
  HttpResponse response = service.get(roles + role);
  if (!response.ok())
    throw cloud_error(Failure::credentials, "EC2 metadata service: {}{}: status {}", roles, role, response.status);
  return parse_credentials(std::move(response.body), "Token", "EC2 role " + role);
}

std::optional<std::string> instance_region(const Config& config) {
  if (is_disabled(config)) return std::nullopt;
  MetadataService service(config);
  if (!service.open()) return std::nullopt;
  HttpResponse response = service.get("/latest/meta-data/placement/region");
  if (!response.ok() || !is_host_label(response.body)) return std::nullopt;
  return std::move(response.body);
}

}  // namespace plume::cloud

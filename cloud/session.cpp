// Connections come after the settings that they need.
#include "cloud/session.hpp"

#include "cloud/s3/open.hpp"

namespace plume::cloud {
namespace {

std::unique_ptr<Transport> transport_for(Config& config) {
  auto transport = make_transport(config.transport_settings());
  config.use(*transport);
  return transport;
}

}  // namespace

Session::Session(SessionOptions options, const Surroundings& surroundings)
    : options_(std::move(options)),
      config_(options_.flags, surroundings),
      transport_(transport_for(config_)),
      chain_(config_),
      client_(*transport_, &chain_, clock(), client_settings()) {}

ClientSettings Session::client_settings() const {
  ClientSettings settings;
  settings.attempts = config_.attempts().value_or(3);
  settings.adaptive = config_.adaptive();
  settings.cancelled = options_.cancelled;
  settings.debug = options_.debug;
  return settings;
}

std::string Session::region() const {
  std::string region = config_.region();
  if (region.empty())
    throw cloud_error(Failure::usage, "no region: say --region, or set AWS_REGION or region in profile {}",
                      config_.profile());
  return region;
}

Endpoint Session::endpoint(const Service& service) const {
  EndpointChoice choice = config_.endpoint_choice(service);
  choice.region = region();
  if (const std::string& url = config_.flags().endpoint_url; !url.empty()) choice = {choice.region, url};
  return service_endpoint(service, choice);
}

std::unique_ptr<S3> Session::s3(std::optional<ChecksumKind> checksum) {
  S3Settings s3 = s3_settings(config_);
  if (checksum) s3.checksum = *checksum;
  ClientSettings settings = s3_client_settings(config_);
  settings.cancelled = options_.cancelled;
  settings.debug = options_.debug;
  return std::make_unique<S3>(*transport_, &chain_, clock(), std::move(s3), std::move(settings));
}

}  // namespace plume::cloud

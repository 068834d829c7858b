// Services other than S3: one host a region.
#include "cloud/endpoints/endpoint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "cloud/endpoints/partition.hpp"
#include "cloud/error.hpp"

namespace plume::cloud {
namespace {

constexpr std::string_view global = "aws-global";

Endpoint at_host(const Service& service, std::string host, std::string region) {
  return {Url{"https", std::move(host), {}, {}, {}}, std::string(service.signing_name), std::move(region)};
}

}  // namespace

Url custom_url(const std::string& text) {
  auto url = parse_url(text);
  if (!url || !url->query.empty()) throw cloud_error(Failure::usage, "Custom endpoint `{}` was not a valid URI", text);
  return *std::move(url);
}

Endpoint service_endpoint(const Service& service, const EndpointChoice& choice) {
  if (!choice.custom.empty()) {
    if (choice.fips)
      throw cloud_error(Failure::usage, "Invalid Configuration: FIPS and custom endpoint are not supported");
    if (choice.dual_stack)
      throw cloud_error(Failure::usage, "Invalid Configuration: Dualstack and custom endpoint are not supported");
    return {custom_url(choice.custom), std::string(service.signing_name),
            choice.region.empty() ? "us-east-1" : choice.region};
  }
  if (choice.region.empty()) throw cloud_error(Failure::usage, "Invalid Configuration: Missing Region");
  if (!is_host_label(choice.region))
    throw cloud_error(Failure::usage, "Invalid region: `{}` is not a valid DNS name", choice.region);
  const Partition& partition = partition_of(choice.region);
  if (choice.region == global)
    return at_host(service, fmt::format("{}.{}", service.host, partition.suffix), "us-east-1");
  // STS's plain endpoints of GovCloud are validated already.
  const bool plain = service.host == sts.host && partition.name == "aws-us-gov" && !choice.dual_stack;
  return at_host(service,
                 fmt::format("{}.{}.{}", choice.fips && !plain ? service.fips_host : service.host, choice.region,
                             choice.dual_stack ? partition.dual_stack_suffix : partition.suffix),
                 choice.region);
}

Endpoint legacy_sts_endpoint(const EndpointChoice& choice) {
  static constexpr std::array<std::string_view, 16> oldest{
      "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", global,      "ca-central-1",
      "eu-central-1",   "eu-north-1", "eu-west-1",      "eu-west-2",      "eu-west-3", "sa-east-1",
      "us-east-1",      "us-east-2",  "us-west-1",      "us-west-2"};
  const bool shared = choice.custom.empty() && !choice.fips && !choice.dual_stack &&
                      std::find(oldest.begin(), oldest.end(), choice.region) != oldest.end();
  return shared ? at_host(sts, "sts.amazonaws.com", "us-east-1") : service_endpoint(sts, choice);
}

}  // namespace plume::cloud

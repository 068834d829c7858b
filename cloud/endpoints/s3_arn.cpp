// Buckets named by an ARN: access points of S3, of several regions, of Object Lambda and of outposts.
#include "cloud/endpoints/s3_kinds.hpp"

namespace plume::cloud {
namespace {

std::string_view part(const Arn& arn, std::size_t index) {
  return index < arn.resource.size() ? std::string_view(arn.resource[index]) : std::string_view();
}

void check_region(const S3Case& what, const Arn& arn) {
  if (what.choice.use_arn_region == false && arn.region != what.choice.region)
    refuse("Invalid configuration: region from ARN `{}` does not match client region `{}` and UseArnRegion is `false`",
           arn.region, what.choice.region);
  const Partition& partition = partition_of(arn.region);
  if (partition.name != what.partition.name)
    refuse("Client was configured for partition `{}` but ARN (`{}`) has `{}`", what.partition.name, what.choice.bucket,
           partition.name);
  if (!is_host_label(arn.region, true)) refuse("Invalid region in ARN: `{}` (invalid DNS name)", arn.region);
}

void check_account(const Arn& arn) {
  if (arn.account.empty()) refuse("Invalid ARN: Missing account id");
  if (!is_host_label(arn.account))
    refuse("Invalid ARN: The account id may only contain a-z, A-Z, 0-9 and `-`. Found: `{}`", arn.account);
}

void check_name(std::string_view name) {
  if (!is_host_label(name))
    refuse("Invalid ARN: The access point name may only contain a-z, A-Z, 0-9 and `-`. Found: `{}`", name);
}

std::string_view access_point_name(const Arn& arn) {
  const std::string_view name = part(arn, 1);
  if (name.empty())
    refuse("Invalid ARN: Expected a resource of the format `accesspoint:<accesspoint name>` but no name was provided");
  return name;
}

void check_access_point(const S3Case& what, const Arn& arn) {
  if (what.choice.disable_access_points) refuse("Access points are not supported for this operation");
  if (arn.resource.size() > 2)
    refuse("Invalid ARN: The ARN may only contain a single resource component after `accesspoint`.");
  check_region(what, arn);
}

// The access point before `host` of AWS, or before the custom one.
Endpoint access_point(const S3Case& what, const Arn& arn, std::string_view host) {
  const std::string name = fmt::format("{}-{}", part(arn, 1), arn.account);
  Url url = what.custom ? before_host(*what.custom, name)
                        : https(fmt::format("{}.{}.{}.{}", name, host, arn.region, what.partition.suffix));
  return {std::move(url), arn.service, arn.region};
}

Endpoint object_lambda(const S3Case& what, const Arn& arn) {
  if (part(arn, 0) != "accesspoint")
    refuse("Invalid ARN: Object Lambda ARNs only support `accesspoint` arn types, but found: `{}`", part(arn, 0));
  const std::string_view name = access_point_name(arn);
  if (what.choice.dual_stack) refuse("S3 Object Lambda does not support Dual-stack");
  if (what.choice.accelerate) refuse("S3 Object Lambda does not support S3 Accelerate");
  if (arn.region.empty()) refuse("Invalid ARN: bucket ARN is missing a region");
  check_access_point(what, arn);
  check_account(arn);
  check_name(name);
  return access_point(what, arn, fmt::format("s3-object-lambda{}", what.fips()));
}

Endpoint several_regions(const S3Case& what, const Arn& arn) {
  if (!is_host_label(part(arn, 1), true)) refuse("Invalid Access Point Name");
  if (what.choice.dual_stack) refuse("S3 MRAP does not support dual-stack");
  if (what.choice.fips) refuse("S3 MRAP does not support FIPS");
  if (what.choice.accelerate) refuse("S3 MRAP does not support S3 Accelerate");
  if (what.choice.disable_multi_region_access_points)
    refuse("Invalid configuration: Multi-Region Access Point ARNs are disabled.");
  if (what.partition.name != arn.partition)
    refuse("Client was configured for partition `{}` but bucket referred to partition `{}`", what.partition.name,
           arn.partition);
  return {https(fmt::format("{}.accesspoint.s3-global.{}", part(arn, 1), what.partition.suffix)), "s3", "*",
          Authentication::sigv4a};
}

Endpoint one_region(const S3Case& what, const Arn& arn) {
  if (what.choice.accelerate) refuse("Access Points do not support S3 Accelerate");
  check_access_point(what, arn);
  if (arn.service != "s3") refuse("Invalid ARN: The ARN was not for the S3 service, found: {}", arn.service);
  check_account(arn);
  check_name(part(arn, 1));
  return access_point(what, arn, fmt::format("s3-accesspoint{}{}", what.fips(), what.dual_stack()));
}

Endpoint outpost(const S3Case& what, const Arn& arn) {
  if (what.choice.dual_stack) refuse("S3 Outposts does not support Dual-stack");
  if (what.choice.fips) refuse("S3 Outposts does not support FIPS");
  if (what.choice.accelerate) refuse("S3 Outposts does not support S3 Accelerate");
  if (arn.resource.size() > 4) refuse("Invalid Arn: Outpost Access Point ARN contains sub resources");
  const std::string_view id = part(arn, 1);
  if (id.empty()) refuse("Invalid ARN: The Outpost Id was not set");
  if (!is_host_label(id)) refuse("Invalid ARN: The outpost Id may only contain a-z, A-Z, 0-9 and `-`. Found: `{}`", id);
  check_region(what, arn);
  check_account(arn);
  if (arn.resource.size() < 3) refuse("Invalid ARN: Expected a 4-component resource");
  if (arn.resource.size() < 4) refuse("Invalid ARN: expected an access point name");
  if (part(arn, 2) != "accesspoint") refuse("Expected an outpost type `accesspoint`, found {}", part(arn, 2));
  check_name(part(arn, 3));
  const std::string name = fmt::format("{}-{}.{}", part(arn, 3), arn.account, id);
  Url url = what.custom ? before_host(*what.custom, name)
                        : https(fmt::format("{}.s3-outposts.{}.{}", name, arn.region, what.partition.suffix));
  return {std::move(url), "s3-outposts", arn.region, Authentication::sigv4a};
}

}  // namespace

Endpoint arn_endpoint(const S3Case& what, const Arn& arn) {
  const std::string_view type = part(arn, 0);
  if (type.empty()) refuse("Invalid ARN: No ARN type specified");
  if (arn.service == "s3-object-lambda") return object_lambda(what, arn);
  if (type == "accesspoint") {
    static_cast<void>(access_point_name(arn));
    return arn.region.empty() ? several_regions(what, arn) : one_region(what, arn);
  }
  if (arn.service == "s3-outposts") return outpost(what, arn);
  refuse("Invalid ARN: Unrecognized format: {} (type: {})", what.choice.bucket, type);
}

}  // namespace plume::cloud

// Directory buckets, which live in one zone, and aliases of outposts' access points.
#include "cloud/endpoints/s3_kinds.hpp"

namespace plume::cloud {
namespace {

// usw2-az1 of mybucket--usw2-az1--x-s3; empty where the name has none.
std::string_view zone_of(std::string_view bucket) {
  const std::string_view front = bucket.substr(0, bucket.rfind("--"));
  const std::size_t dashes = front.rfind("--");
  if (dashes == std::string_view::npos) return {};
  const std::string_view zone = front.substr(dashes + 2);
  const bool fits = zone.size() >= 8 && zone.size() <= 20 && zone.find('-') != std::string_view::npos;
  return fits ? zone : std::string_view();
}

Url control_url(const S3Case& what) {
  const S3Choice& choice = what.choice;
  Url url = https(
      fmt::format("s3express-control{}{}.{}.{}", what.fips(), what.dual_stack(), choice.region, what.partition.suffix));
  return choice.bucket.empty() ? url : in_path(std::move(url), choice.bucket);
}

Url zone_url(const S3Case& what) {
  const S3Choice& choice = what.choice;
  if (!is_hostable_bucket(choice.bucket)) refuse("S3Express bucket name is not a valid virtual hostable name.");
  if (what.custom) return before_host(*what.custom, choice.bucket);
  const std::string_view zone = zone_of(choice.bucket);
  if (zone.empty()) refuse("Unrecognized S3Express bucket name format.");
  return https(fmt::format("{}.s3express{}-{}{}.{}.{}", choice.bucket, what.fips(), zone, what.dual_stack(),
                           choice.region, what.partition.suffix));
}

}  // namespace

Endpoint express_endpoint(const S3Case& what) {
  const S3Choice& choice = what.choice;
  if (choice.accelerate) refuse("S3Express does not support S3 Accelerate.");
  const auto endpoint = [&](Url url, bool session) {
    return Endpoint{std::move(url), "s3express", choice.region,
                    session ? Authentication::express : Authentication::sigv4};
  };
  if (choice.bucket.empty()) return endpoint(what.custom ? *what.custom : control_url(what), false);
  const bool session = !choice.disable_express_session;
  if (what.custom && is_ip_address(what.custom->host)) return endpoint(in_path(*what.custom, choice.bucket), session);
  if (!what.custom && choice.express_control_endpoint) return endpoint(control_url(what), false);
  return endpoint(zone_url(what), session);
}

Endpoint outpost_alias_endpoint(const S3Case& what) {
  // ...(kind)(outpost's id, 17)(20)(region, 4)(1)--op-s3, counted from the end.
  const std::string& bucket = what.choice.bucket;
  const char kind = bucket[bucket.size() - 50];
  const std::string_view id = std::string_view(bucket).substr(bucket.size() - 49, 17);
  const std::string_view region = std::string_view(bucket).substr(bucket.size() - 12, 4);
  if (!is_host_label(id)) refuse("Invalid ARN: The outpost Id must only contain a-z, A-Z, 0-9 and `-`.");
  if (!is_host_label(bucket)) refuse("Invalid Outposts Bucket alias - it must be a valid bucket name.");
  if (kind != 'e' && kind != 'o')
    refuse("Unrecognized hardware type: \"Expected hardware type o or e but got {}\"", kind);
  if (region == "beta" && !what.custom) refuse("Expected a endpoint to be specified but no endpoint was found");
  const std::string place = kind == 'e' ? "ec2" : fmt::format("op-{}", id);
  const std::string name = fmt::format("{}.{}", bucket, place);
  const Url url = region == "beta"
                      ? before_host(*what.custom, name)
                      : https(fmt::format("{}.s3-outposts.{}.{}", name, what.choice.region, what.partition.suffix));
  return {url, "s3-outposts", what.choice.region, Authentication::sigv4a};
}

}  // namespace plume::cloud

// What excludes what, then the usual bucket: in the host's name where that can be.
#include "cloud/endpoints/s3_endpoint.hpp"

#include <algorithm>

#include "cloud/endpoints/s3_kinds.hpp"
#include "cloud/signing/percent.hpp"

namespace plume::cloud {
namespace {

constexpr std::string_view global = "aws-global";

void check(const S3Choice& choice, const Partition& partition) {
  if (choice.accelerate && choice.fips) refuse("Accelerate cannot be used with FIPS");
  const bool custom = !choice.custom.empty();
  if (choice.dual_stack && custom) refuse("Cannot set dual-stack in combination with a custom endpoint.");
  if (choice.fips && custom) refuse("A custom endpoint cannot be combined with FIPS");
  if (choice.accelerate && custom) refuse("A custom endpoint cannot be combined with S3 Accelerate");
  if (choice.fips && partition.name == "aws-cn") refuse("Partition does not support FIPS");
}

void check_region(const std::string& region, bool with_dots = false) {
  if (!is_host_label(region, with_dots)) refuse("Invalid region: region was not a valid DNS name.");
}

// Of AWS itself, without a bucket: s3[-fips][.dualstack].region.suffix, or s3.suffix for the whole world.
std::string own_host(const S3Case& what) {
  const S3Choice& choice = what.choice;
  const bool plain = !choice.fips && !choice.dual_stack;
  const bool world = choice.region == global || (choice.global_endpoint && choice.region == "us-east-1");
  if (world && plain) return fmt::format("s3.{}", what.partition.suffix);
  return fmt::format("s3{}{}.{}.{}", what.fips(), what.dual_stack(),
                     choice.region == global ? "us-east-1" : choice.region, what.partition.suffix);
}

Url virtual_host(const S3Case& what) {
  const S3Choice& choice = what.choice;
  if (what.custom)
    return is_ip_address(what.custom->host) ? in_path(*what.custom, choice.bucket)
                                            : before_host(*what.custom, choice.bucket);
  if (!choice.accelerate) return https(fmt::format("{}.{}", choice.bucket, own_host(what)));
  if (what.partition.name == "aws-cn") refuse("S3 Accelerate cannot be used in this region");
  const std::string_view region = choice.region == global && choice.dual_stack ? ".us-east-1" : "";
  return https(fmt::format("{}.s3-accelerate{}{}.{}", choice.bucket, what.dual_stack(), region, what.partition.suffix));
}

// Without a bucket.
Url service_url(const S3Case& what) {
  check_region(what.choice.region, true);
  if (what.custom) return *what.custom;
  return https(own_host(what));
}

Endpoint object_lambda(const S3Case& what) {
  const S3Choice& choice = what.choice;
  check_region(choice.region, true);
  if (choice.dual_stack) refuse("S3 Object Lambda does not support Dual-stack");
  if (choice.accelerate) refuse("S3 Object Lambda does not support S3 Accelerate");
  const std::string host = fmt::format("s3-object-lambda{}.{}.{}", what.fips(), choice.region, what.partition.suffix);
  return {what.custom ? *what.custom : https(host), "s3-object-lambda", choice.region};
}

// A usual bucket, or none.
Url usual_url(const S3Case& what) {
  const S3Choice& choice = what.choice;
  if (choice.bucket.empty()) return service_url(what);
  const bool with_dots = what.custom && what.custom->scheme == "http";
  if (!choice.path_style && is_hostable_bucket(choice.bucket, with_dots)) {
    check_region(choice.region);
    return virtual_host(what);
  }
  if (choice.accelerate) refuse("Path-style addressing cannot be used with S3 Accelerate");
  return in_path(what.custom ? *what.custom : https(own_host(what)), choice.bucket);
}

}  // namespace

Url in_path(Url url, std::string_view bucket) {
  if (!url.path.ends_with('/')) url.path += '/';
  url.path += percent_encode(bucket);
  return url;
}

bool is_hostable_bucket(std::string_view name, bool with_dots) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  const auto label = [&](std::string_view text) {
    return text.size() >= 3 && text.size() <= 63 && std::all_of(text.begin(), text.end(), fits) &&
           text.front() != '-' && text.back() != '-';
  };
  if (!with_dots) return label(name);
  if (is_ip_address(name)) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

Endpoint s3_endpoint(const S3Choice& choice) {
  if (choice.region.empty()) refuse("A region must be set when sending requests to S3.");
  const Partition& partition = partition_of(choice.region);
  check(choice, partition);
  S3Case what{choice, partition, {}};
  if (!choice.custom.empty()) what.custom = custom_url(choice.custom);

  const std::string& bucket = choice.bucket;
  if (bucket.ends_with("--x-s3") || bucket.ends_with("--xa-s3") || (bucket.empty() && choice.express_control_endpoint))
    return express_endpoint(what);
  if (bucket.ends_with("--op-s3") && bucket.size() >= 50) return outpost_alias_endpoint(what);
  if (const auto arn = parse_arn(bucket)) {
    if (choice.path_style) refuse("Path-style addressing cannot be used with ARN buckets");
    return arn_endpoint(what, *arn);
  }
  if (bucket.starts_with("arn:")) refuse("Invalid ARN: `{}` was not a valid ARN", bucket);
  if (choice.object_lambda_endpoint) return object_lambda(what);
  return {usual_url(what), "s3", choice.region == global ? "us-east-1" : choice.region};
}

}  // namespace plume::cloud

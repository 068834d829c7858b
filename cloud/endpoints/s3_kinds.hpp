// The kinds of bucket besides the usual, each in its file: what s3_endpoint() hands on.
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cloud/endpoints/arn.hpp"
#include "cloud/endpoints/partition.hpp"
#include "cloud/endpoints/s3_endpoint.hpp"
#include "cloud/error.hpp"

namespace plume::cloud {

// A choice with what follows from it.
struct S3Case {
  const S3Choice& choice;
  const Partition& partition;
  std::optional<Url> custom;

  [[nodiscard]] std::string_view fips() const { return choice.fips ? "-fips" : ""; }
  [[nodiscard]] std::string_view dual_stack() const { return choice.dual_stack ? ".dualstack" : ""; }
};

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw cloud_error(Failure::usage, format, std::forward<Args>(args)...);
}

[[nodiscard]] inline Url https(std::string host, std::string path = {}) {
  return {"https", std::move(host), {}, std::move(path), {}};
}

// `name` before the custom address's host.
[[nodiscard]] inline Url before_host(const Url& custom, std::string_view name) {
  Url url = custom;
  url.host = fmt::format("{}.{}", name, custom.host);
  return url;
}

// The bucket behind an address's path.
[[nodiscard]] Url in_path(Url url, std::string_view bucket);

// Directory buckets (bucket--zone--x-s3) and their access points (--xa-s3).
[[nodiscard]] Endpoint express_endpoint(const S3Case& what);
// An outpost's alias (...--op-s3).
[[nodiscard]] Endpoint outpost_alias_endpoint(const S3Case& what);
// Access points, also of several regions, of Object Lambda and of outposts.
[[nodiscard]] Endpoint arn_endpoint(const S3Case& what, const Arn& arn);

}  // namespace plume::cloud

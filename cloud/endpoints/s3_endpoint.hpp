// Where a bucket is: in the host's name or in the path, by region, choices and the bucket's own name.
// Source: the rules that AWS's clients share; tests/cloud/endpoint_cases_test.cpp replays their cases.
#pragma once

#include <optional>
#include <string>

#include "cloud/endpoints/endpoint.hpp"

namespace plume::cloud {

struct S3Choice : EndpointChoice {
  std::string bucket;  // a name or the ARN of an access point; empty: no bucket, as for listing them
  bool path_style = false;
  bool accelerate = false;
  bool global_endpoint = false;  // us-east-1 as s3.amazonaws.com, as old clients have it
  std::optional<bool> use_arn_region;
  bool disable_access_points = false;
  bool disable_multi_region_access_points = false;
  bool object_lambda_endpoint = false;
  bool express_control_endpoint = false;
  bool disable_express_session = false;
};

// Throws cloud::Error (usage), in the words of AWS's rules, for choices that exclude each other and names that cannot
// be.
[[nodiscard]] Endpoint s3_endpoint(const S3Choice& choice);

// Whether a name can stand before the host of S3: 3 to 63 lower-case letters, digits and dashes, no address.
[[nodiscard]] bool is_hostable_bucket(std::string_view name, bool with_dots = false);

}  // namespace plume::cloud

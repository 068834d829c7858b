// The endpoint cases that AWS's clients share: every one of S3 and STS.
#include <gtest/gtest.h>

#include "aws_data.hpp"
#include "cloud/endpoints/s3_endpoint.hpp"
#include "cloud/error.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

EndpointChoice choice_of(const Json& params) {
  return {params.value("Region", ""), params.value("Endpoint", ""), params.value("UseFIPS", false),
          params.value("UseDualStack", false)};
}

Endpoint resolve_s3(const Json& params) {
  S3Choice choice;
  static_cast<EndpointChoice&>(choice) = choice_of(params);
  choice.bucket = params.value("Bucket", "");
  choice.path_style = params.value("ForcePathStyle", false);
  choice.accelerate = params.value("Accelerate", false);
  choice.global_endpoint = params.value("UseGlobalEndpoint", false);
  if (params.contains("UseArnRegion")) choice.use_arn_region = params["UseArnRegion"].get<bool>();
  choice.disable_access_points = params.value("DisableAccessPoints", false);
  choice.disable_multi_region_access_points = params.value("DisableMultiRegionAccessPoints", false);
  choice.object_lambda_endpoint = params.value("UseObjectLambdaEndpoint", false);
  choice.express_control_endpoint = params.value("UseS3ExpressControlEndpoint", false);
  choice.disable_express_session = params.value("DisableS3ExpressSessionAuth", false);
  return s3_endpoint(choice);
}

Endpoint resolve_sts(const Json& params) {
  const EndpointChoice choice = choice_of(params);
  return params.value("UseGlobalEndpoint", false) ? legacy_sts_endpoint(choice) : service_endpoint(sts, choice);
}

std::string name_of(Authentication authentication) {
  switch (authentication) {
    case Authentication::sigv4: return "sigv4";
    case Authentication::sigv4a: return "sigv4a";
    case Authentication::express: return "sigv4-s3express";
  }
  return {};
}

// Of several schemes the first is what a client that knows them all takes.
void expect_scheme(const Endpoint& endpoint, const Json& properties) {
  if (!properties.contains("authSchemes")) return;
  const Json& scheme = properties["authSchemes"][0];
  EXPECT_EQ(name_of(endpoint.authentication), scheme["name"]);
  EXPECT_EQ(endpoint.signing_name, scheme["signingName"]);
  EXPECT_EQ(endpoint.signing_region, scheme.value("signingRegion", endpoint.signing_region));
}

template <class Resolve>
int replay(const std::filesystem::path& file, const Resolve& resolve) {
  int replayed = 0;
  const Json document = read_json(file);
  for (const Json& one : document["testCases"]) {
    const Json params = one.value("params", Json::object());
    SCOPED_TRACE(one["documentation"].get<std::string>() + ' ' + params.dump());
    ++replayed;
    const Json& expected = one["expect"];
    try {
      const Endpoint endpoint = resolve(params);
      if (!expected.contains("endpoint")) {
        ADD_FAILURE() << endpoint.url.text() << " instead of " << expected;
        continue;
      }
      EXPECT_EQ(endpoint.url.text(), expected["endpoint"]["url"]);
      expect_scheme(endpoint, expected["endpoint"].value("properties", Json::object()));
    } catch (const cloud::Error& error) {
      EXPECT_EQ(error.what(), expected.value("error", "no error")) << expected;
      EXPECT_EQ(error.failure(), Failure::usage);
    }
  }
  return replayed;
}

TEST(EndpointCases, EveryOneOfS3) {
  PLUME_NEEDS_AWS_DATA();
  EXPECT_EQ(replay(aws_data() / "endpoints/s3/endpoint-tests-1.json", resolve_s3), 393);
}

TEST(EndpointCases, EveryOneOfSts) {
  PLUME_NEEDS_AWS_DATA();
  EXPECT_EQ(replay(aws_data() / "endpoints/sts/endpoint-tests-1.json", resolve_sts), 69);
}

}  // namespace
}  // namespace plume::tests

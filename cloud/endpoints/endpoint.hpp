// Where a service is, and how it wants to be signed for.
#pragma once

#include <string>
#include <string_view>

#include "cloud/endpoints/url.hpp"

namespace plume::cloud {

enum class Authentication {
  sigv4,
  sigv4a,   // asymmetric, for all regions: plume cannot sign it
  express,  // SigV4 with the keys of an S3 Express session
};

struct Endpoint {
  Url url;
  std::string signing_name;
  std::string signing_region;
  Authentication authentication = Authentication::sigv4;
};

// What a user may choose for any service.
struct EndpointChoice {
  std::string region{};
  std::string custom{};  // an address; empty: AWS's own
  bool fips = false;
  bool dual_stack = false;
};

// The names under which a service is known.
struct Service {
  std::string_view host;          // what its host begins with: api.sagemaker
  std::string_view fips_host;     // of its validated cryptography: api-fips.sagemaker
  std::string_view signing_name;  // sagemaker
  std::string_view setting;       // behind AWS_ENDPOINT_URL_, and in lower case in a profile's services: SAGEMAKER
};

inline constexpr Service sts{"sts", "sts-fips", "sts", "STS"};
inline constexpr Service sso{"portal.sso", "portal.sso-fips", "awsssoportal", "SSO"};
inline constexpr Service sagemaker{"api.sagemaker", "api-fips.sagemaker", "sagemaker", "SAGEMAKER"};
inline constexpr Service sagemaker_runtime{"runtime.sagemaker", "runtime-fips.sagemaker", "sagemaker",
                                           "SAGEMAKER_RUNTIME"};
inline constexpr Service lambda{"lambda", "lambda-fips", "lambda", "LAMBDA"};
inline constexpr Service api_gateway{"apigateway", "apigateway-fips", "apigateway", "APIGATEWAYV2"};

// Throws cloud::Error (usage) where the choices exclude each other, or there is no region.
[[nodiscard]] Endpoint service_endpoint(const Service& service, const EndpointChoice& choice);

// The same, as old clients want STS: the oldest regions share sts.amazonaws.com.
[[nodiscard]] Endpoint legacy_sts_endpoint(const EndpointChoice& choice);

// An address that a user gave; throws cloud::Error (usage) where it is none.
[[nodiscard]] Url custom_url(const std::string& text);

}  // namespace plume::cloud

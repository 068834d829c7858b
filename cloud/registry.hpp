// Amazon's registry of container images (ECR).
// Source: Amazon ECR API Reference, 2015-09-21.
#pragma once

#include <optional>
#include <string>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

// ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG or ...@sha256:DIGEST.
struct ImageName {
  std::string account;
  std::string region;
  std::string repository;
  std::string tag;
  std::string digest;
};
// Nothing where the image lies elsewhere.
[[nodiscard]] std::optional<ImageName> parse_image(const std::string& text);

// Its digest. Throws cloud::Error, not_found where there is no such image.
[[nodiscard]] std::string image_digest(ServiceClient& client, const Endpoint& endpoint, const ImageName& image);

}  // namespace plume::cloud

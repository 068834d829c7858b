// One question of it.
#include "cloud/registry.hpp"

#include <nlohmann/json.hpp>

#include "cloud/protocols/json.hpp"

namespace plume::cloud {

std::optional<ImageName> parse_image(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string host = text.substr(0, slash);
  constexpr std::string_view middle = ".dkr.ecr.";
  const std::size_t at = host.find(middle);
  if (slash == std::string::npos || at == std::string::npos) return std::nullopt;
  ImageName image;
  image.account = host.substr(0, at);
  const std::string rest = host.substr(at + middle.size());
  image.region = rest.substr(0, rest.find('.'));
  image.repository = text.substr(slash + 1);
  if (const std::size_t digest = image.repository.find('@'); digest != std::string::npos) {
    image.digest = image.repository.substr(digest + 1);
    image.repository.resize(digest);
  } else if (const std::size_t tag = image.repository.find(':'); tag != std::string::npos) {
    image.tag = image.repository.substr(tag + 1);
    image.repository.resize(tag);
  } else {
    image.tag = "latest";
  }
  return image;
}

std::string image_digest(ServiceClient& client, const Endpoint& endpoint, const ImageName& image) {
  const nlohmann::json id =
      image.digest.empty() ? nlohmann::json{{"imageTag", image.tag}} : nlohmann::json{{"imageDigest", image.digest}};
  try {
    const nlohmann::json reply = json_call(client, endpoint, "AmazonEC2ContainerRegistry_V20150921", "DescribeImages",
                                           {{"registryId", image.account},
                                            {"repositoryName", image.repository},
                                            {"imageIds", nlohmann::json::array({id})}});
    return reply.at("imageDetails").at(0).value("imageDigest", "");
  } catch (const Error& error) {
    const bool missing = error.code() == "ImageNotFoundException" || error.code() == "RepositoryNotFoundException";
    throw Error(missing ? Failure::not_found : error.failure(), error.what(), error.code());
  }
}

}  // namespace plume::cloud

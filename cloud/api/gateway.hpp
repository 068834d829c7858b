// Amazon API Gateway's HTTP APIs.
// Source: Amazon API Gateway V2 API Reference, 2018-11-29.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cloud/client/service_client.hpp"

namespace plume::cloud {

struct HttpApi {
  std::string id;
  std::string name;
  std::string url;  // https://ID.execute-api.REGION.amazonaws.com
  std::map<std::string, std::string> tags{};
};

class ApiGateway {
 public:
  // `client` outlives it.
  ApiGateway(ServiceClient& client, Endpoint endpoint) : client_(client), endpoint_(std::move(endpoint)) {}

  [[nodiscard]] std::vector<HttpApi> list(bool even_when_cancelled = false);
  // CreateApi's, CreateIntegration's, CreateRoute's and CreateStage's documents.
  HttpApi create(const nlohmann::json& api);
  std::string add_integration(const std::string& api_id, const nlohmann::json& integration);  // its id
  void add_route(const std::string& api_id, const nlohmann::json& route);
  void add_stage(const std::string& api_id, const nlohmann::json& stage);
  // With all that belongs to it. One that is not there is fine.
  void remove(const std::string& api_id);

 private:
  ServiceClient& client_;
  Endpoint endpoint_;
};

}  // namespace plume::cloud

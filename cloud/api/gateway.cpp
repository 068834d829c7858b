// Requests under /v2/apis.
#include "cloud/api/gateway.hpp"

#include "cloud/api/document_operation.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

HttpApi api_of(const Json& api) {
  return {api.value("apiId", ""), api.value("name", ""), api.value("apiEndpoint", ""), texts_of(api, "tags")};
}

RestOperation below_api(const char* name, const char* method, const char* what) {
  return document_operation(name, method, std::string("/v2/apis/{ApiId}") + what, {"ApiId"});
}

}  // namespace

std::vector<HttpApi> ApiGateway::list(bool even_when_cancelled) {
  std::vector<HttpApi> apis;
  RestOperation operation = document_operation("GetApis", "GET", "/v2/apis?maxResults=100", {});
  operation.input.members.push_back(
      {.name = "NextToken", .shape = &string_shape, .wire_name = "nextToken", .place = Place::query});
  Json values = Json::object();
  while (true) {
    const Json reply = document_call(client_, endpoint_, operation, values, nullptr, even_when_cancelled);
    for (const Json& api : reply.value("items", Json::array())) apis.push_back(api_of(api));
    const Json next = reply.value("nextToken", Json());
    if (!next.is_string() || next.get_ref<const std::string&>().empty()) return apis;
    values["NextToken"] = next;
  }
}

HttpApi ApiGateway::create(const Json& api) {
  static const RestOperation operation = document_operation("CreateApi", "POST", "/v2/apis", {});
  return api_of(document_call(client_, endpoint_, operation, nullptr, api));
}

std::string ApiGateway::add_integration(const std::string& api_id, const Json& integration) {
  static const RestOperation operation = below_api("CreateIntegration", "POST", "/integrations");
  return document_call(client_, endpoint_, operation, {{"ApiId", api_id}}, integration).value("integrationId", "");
}

void ApiGateway::add_route(const std::string& api_id, const Json& route) {
  static const RestOperation operation = below_api("CreateRoute", "POST", "/routes");
  document_call(client_, endpoint_, operation, {{"ApiId", api_id}}, route);
}

void ApiGateway::add_stage(const std::string& api_id, const Json& stage) {
  static const RestOperation operation = below_api("CreateStage", "POST", "/stages");
  document_call(client_, endpoint_, operation, {{"ApiId", api_id}}, stage);
}

void ApiGateway::remove(const std::string& api_id) {
  static const RestOperation operation = below_api("DeleteApi", "DELETE", "");
  static_cast<void>(find_document(client_, endpoint_, operation, {{"ApiId", api_id}}, true));
}

}  // namespace plume::cloud

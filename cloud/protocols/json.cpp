// POST to /, the operation in a header.
#include "cloud/protocols/json.hpp"

#include <nlohmann/json.hpp>

namespace plume::cloud {

nlohmann::json json_call(ServiceClient& client, const Endpoint& endpoint, const std::string& service,
                         const std::string& operation, const nlohmann::json& input) {
  const std::string text = input.is_null() ? "{}" : input.dump();
  TextBody body(text);
  ServiceRequest request;
  request.what = operation;
  request.endpoint = endpoint;
  request.method = "POST";
  request.path.push_back('/');
  request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                     {"X-Amz-Target", fmt::format("{}.{}", service, operation)}};
  request.body = &body;
  request.payload_hash = hex(sha256(text));
  const HttpResponse response = client.call(request);
  if (response.body.empty()) return nlohmann::json::object();
  auto output = nlohmann::json::parse(response.body, nullptr, false);
  if (output.is_discarded()) throw cloud_error(Failure::unavailable, "{}: the answer is no JSON", operation);
  return output;
}

}  // namespace plume::cloud

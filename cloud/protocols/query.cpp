// POST to /; the answer lies in an element NAMEResult within NAMEResponse.
#include "cloud/protocols/query.hpp"

#include <nlohmann/json.hpp>

#include "cloud/protocols/xml.hpp"

namespace plume::cloud {

std::string query_form(const QueryOperation& operation, const nlohmann::json& input) {
  Form form;
  form.add("Action", operation.name).add("Version", operation.version);
  return form.add_value("", input, operation.input).text();
}

nlohmann::json query_reply(const QueryOperation& operation, const std::string& body) {
  if (body.empty()) return nlohmann::json::object();
  return from_xml(parse_xml(operation.name, body).document_element().child((operation.name + "Result").c_str()),
                  operation.output);
}

nlohmann::json query_call(ServiceClient& client, const Endpoint& endpoint, const std::string& what,
                          const QueryOperation& operation, const nlohmann::json& input) {
  ServiceRequest request;
  request.what = what;
  request.endpoint = endpoint;
  request.method = "POST";
  request.path.push_back('/');
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  const nlohmann::json whole = with_tokens(input, operation.input, client.clock());
  const OutgoingRequest outgoing(std::move(request), query_form(operation, whole), operation.traits, whole);
  return query_reply(operation, client.call(outgoing.request()).body);
}

}  // namespace plume::cloud

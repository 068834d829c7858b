// Labels, and one member that is the body.
#include "cloud/api/document_operation.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

constexpr const char* body = "Body";

}  // namespace

RestOperation document_operation(std::string name, std::string method, std::string uri,
                                 const std::vector<std::string>& labels) {
  RestOperation operation{.name = std::move(name), .method = std::move(method), .uri = std::move(uri)};
  for (const std::string& label : labels)
    operation.input.members.push_back({.name = label, .shape = &string_shape, .place = Place::label});
  for (Shape* const shape : {&operation.input, &operation.output}) {
    shape->members.push_back({body, &document_shape});
    shape->payload = body;
  }
  return operation;
}

Json document_call(ServiceClient& client, const Endpoint& endpoint, const RestOperation& operation, const Json& values,
                   const Json& document, bool even_when_cancelled) {
  Json input = values.is_null() ? Json::object() : values;
  if (!document.is_null()) input[body] = document;
  const Json reply =
      rest_call(client, endpoint, {.operation = operation, .even_when_cancelled = even_when_cancelled}, input);
  return reply.value(body, Json::object());
}

std::optional<Json> find_document(ServiceClient& client, const Endpoint& endpoint, const RestOperation& operation,
                                  const Json& values, bool even_when_cancelled) {
  try {
    return document_call(client, endpoint, operation, values, nullptr, even_when_cancelled);
  } catch (const Error& error) {
    if (error.failure() != Failure::not_found) throw;
    return std::nullopt;
  }
}

std::map<std::string, std::string> texts_of(const Json& document, const char* name) {
  std::map<std::string, std::string> texts;
  const auto found = document.find(name);
  if (found == document.end() || !found->is_object()) return texts;
  for (const auto& [key, value] : found->items())
    if (value.is_string()) texts[key] = value.get<std::string>();
  return texts;
}

}  // namespace plume::cloud

// POST to /, the operation in a header.
#include "cloud/protocols/json.hpp"

#include <nlohmann/json.hpp>

#include "cloud/protocols/scalar.hpp"

namespace plume::cloud {

using Json = nlohmann::json;

Json to_document(const Json& value, const Shape& shape, TimeFormat usual) {
  switch (shape.type) {
    case Type::structure: {
      Json document = Json::object();
      for (const Member& member : shape.members) {
        if (member.place != Place::body) continue;
        const auto found = value.find(member.name);
        if (found != value.end() && !found->is_null())
          document[member.sent_as()] = to_document(*found, *member.shape, usual);
      }
      return document;
    }
    case Type::list:
    case Type::map: {
      Json document = value;
      for (Json& inner : document) inner = to_document(inner, *shape.members.back().shape, usual);
      return document;
    }
    case Type::blob: return to_text(value, shape, usual);
    case Type::timestamp: {
      const TimeFormat format = shape.time == TimeFormat::usual ? usual : shape.time;
      return format == TimeFormat::seconds ? value : Json(to_text(value, shape, format));
    }
    default: return value;
  }
}

Json from_document(const Json& document, const Shape& shape) {
  switch (shape.type) {
    case Type::structure: {
      Json value = Json::object();
      if (!document.is_object()) return value;
      for (const Member& member : shape.members) {
        if (!member.in_reply_body()) continue;
        const auto found = document.find(member.sent_as());
        if (found != document.end() && !found->is_null()) value[member.name] = from_document(*found, *member.shape);
      }
      return value;
    }
    case Type::list:
    case Type::map: {
      Json value = shape.type == Type::list ? Json::array() : Json::object();
      for (const auto& [key, inner] : document.items()) {
        Json one = inner.is_null() ? Json() : from_document(inner, *shape.members.back().shape);
        if (shape.type == Type::list) {
          value.push_back(std::move(one));
        } else if (!one.is_null()) {
          value[key] = std::move(one);
        }
      }
      return value;
    }
    case Type::timestamp:
      return document.is_number() ? Json(document.get<long>()) : from_text(std::string(document), shape);
    case Type::blob: return from_text(std::string(document), shape);
    default: return document;
  }
}

Json parse_document(const std::string& what, const std::string& body) {
  if (body.empty()) return Json::object();
  Json document = Json::parse(body, nullptr, false);
  if (document.is_discarded()) throw cloud_error(Failure::unavailable, "{}: the answer is no JSON", what);
  return document;
}

Json json_call(ServiceClient& client, const Endpoint& endpoint, const std::string& service,
               const std::string& operation, const Json& input, bool even_when_cancelled,
               const OperationTraits& traits) {
  ServiceRequest request;
  request.what = operation;
  request.endpoint = endpoint;
  request.method = "POST";
  request.path.push_back('/');
  request.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                     {"X-Amz-Target", fmt::format("{}.{}", service, operation)}};
  request.even_when_cancelled = even_when_cancelled;
  const OutgoingRequest outgoing(std::move(request), input.is_null() ? "{}" : input.dump(), traits, input);
  return parse_document(operation, client.call(outgoing.request()).body);
}

}  // namespace plume::cloud

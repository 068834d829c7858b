// Each member to its place, and back.
#include "cloud/protocols/rest.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cloud/protocols/fill_in.hpp"
#include "cloud/protocols/form.hpp"
#include "cloud/protocols/json.hpp"
#include "cloud/protocols/scalar.hpp"
#include "cloud/protocols/xml.hpp"
#include "cloud/signing/percent.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

const Json* find(const Json& value, const std::string& name) {
  const auto found = value.find(name);
  return found == value.end() || found->is_null() ? nullptr : &*found;
}

const Member* member_named(const Shape& shape, std::string_view name) {
  const auto found = std::find_if(shape.members.begin(), shape.members.end(),
                                  [&](const Member& member) { return member.name == name; });
  return found == shape.members.end() ? nullptr : &*found;
}

// A label's text is one segment of the path; that of {name+} may be several.
std::string path_of(const RestOperation& operation, std::string_view uri, const Json& input) {
  return fill_in(uri, [&](std::string_view name) {
    const bool greedy = name.ends_with('+');
    if (greedy) name.remove_suffix(1);
    const auto& members = operation.input.members;
    const auto member = std::find_if(members.begin(), members.end(), [&](const Member& one) {
      return one.place == Place::label && one.sent_as() == name;
    });
    const Json* const value = member == members.end() ? nullptr : find(input, member->name);
    const std::string text = value == nullptr ? "" : to_text(*value, *member->shape, TimeFormat::iso);
    if (text.empty()) throw cloud_error(Failure::usage, "{}: {} is missing", operation.name, name);
    return percent_encode(text, greedy ? Slashes::kept : Slashes::encoded);
  });
}

void add_query(Form& query, const std::string& name, const Json& value, const Shape& shape) {
  if (shape.type != Type::list) {
    query.add(name, to_text(value, shape, TimeFormat::iso));
    return;
  }
  for (const Json& one : value) query.add(name, to_text(one, *shape.element().shape, TimeFormat::iso));
}

std::string query_of(const RestOperation& operation, const Json& input) {
  Form query;
  std::vector<std::string_view> names;
  for (const Member& member : operation.input.members) {
    const Json* const value = member.place == Place::query ? find(input, member.name) : nullptr;
    if (value == nullptr || member.shape->type == Type::map) continue;
    names.push_back(member.sent_as());
    add_query(query, member.sent_as(), *value, *member.shape);
  }
  // What has a name of its own goes before what a map says.
  for (const Member& member : operation.input.members) {
    const Json* const value = member.place == Place::query ? find(input, member.name) : nullptr;
    if (value == nullptr || member.shape->type != Type::map) continue;
    for (const auto& [key, inner] : value->items())
      if (std::find(names.begin(), names.end(), key) == names.end())
        add_query(query, key, inner, *member.shape->value().shape);
  }
  return query.text();
}

// With quotes where a comma or a quote would be taken for one between values.
std::string list_item(const std::string& text, Type type) {
  if (type != Type::string || text.find_first_of(",\"") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string header_text(const Json& value, const Shape& shape) {
  if (shape.type != Type::list) return to_text(value, shape, TimeFormat::http);
  const Shape& element = *shape.element().shape;
  std::string text;
  for (const Json& one : value) {
    if (!text.empty()) text += ", ";
    text += list_item(to_text(one, element, TimeFormat::http), element.type);
  }
  return text;
}

void add_headers(RestRequest& request, const RestOperation& operation, const Json& input) {
  for (const Member& member : operation.input.members) {
    const Json* const value = find(input, member.name);
    if (value == nullptr) continue;
    if (member.place == Place::headers) {
      for (const auto& [key, inner] : value->items())
        if (!inner.is_null())
          request.headers.push_back({member.wire_name + key, header_text(inner, *member.shape->value().shape)});
    } else if (member.place == Place::header && !(value->is_array() && value->empty())) {
      request.headers.push_back({member.sent_as(), header_text(*value, *member.shape)});
    }
  }
}

// Of the element: a member's other name, else the structure's.
const std::string& payload_name(const Member& payload) {
  if (payload.sent_as() != payload.name) return payload.wire_name;
  return payload.shape->xml_name.empty() ? payload.shape->name : payload.shape->xml_name;
}

std::string input_name(const RestOperation& operation) {
  if (!operation.input.xml_name.empty()) return operation.input.xml_name;
  return operation.xml_name.empty() ? operation.name + "Request" : operation.xml_name;
}

std::string document_of(const RestOperation& operation, const Json& value, const Shape& shape,
                        const std::string& xml_name) {
  return operation.format == DocumentFormat::json ? to_document(value, shape).dump() : to_xml(value, shape, xml_name);
}

void add_body(RestRequest& request, const RestOperation& operation, const Json& input) {
  const bool json = operation.format == DocumentFormat::json;
  std::string type = json ? "application/json" : "application/xml";
  const Shape& shape = operation.input;
  if (const Member* const payload = member_named(shape, shape.payload); payload != nullptr) {
    const Json* const value = find(input, payload->name);
    const bool bytes = payload->shape->is_scalar();
    if (value == nullptr) {
      // A document that may be left out is an empty one in JSON, but for a union, of which nothing is chosen.
      const bool structure = payload->shape->type == Type::structure && !payload->shape->is_union;
      if (json && structure) request.body = "{}";
    } else if (bytes) {
      request.body = value->get<std::string>();
      type = payload->shape->type == Type::blob ? "application/octet-stream" : "text/plain";
    } else {
      request.body = document_of(operation, *value, *payload->shape, payload_name(*payload));
    }
  } else {
    const auto in_body = [](const Member& member) { return member.place == Place::body; };
    const bool any = std::any_of(shape.members.begin(), shape.members.end(), in_body);
    if (any) request.body = document_of(operation, input, shape, input_name(operation));
  }
  if (request.body && find_header(request.headers, "Content-Type") == nullptr)
    request.headers.push_back({"Content-Type", type});
}

// "a, \"b, c\", d" are three; of times, which have a comma of their own, every second one parts.
std::vector<std::string> list_items(std::string_view text, const Shape& element) {
  std::vector<std::string> items;
  const bool dates =
      element.type == Type::timestamp && element.time != TimeFormat::iso && element.time != TimeFormat::seconds;
  std::string item;
  bool quoted = false;
  int commas = 0;
  const auto end = [&] {
    const std::size_t first = item.find_first_not_of(' ');
    items.push_back(first == std::string::npos ? "" : item.substr(first, item.find_last_not_of(' ') - first + 1));
    item.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size()) {
      item += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted && (!dates || ++commas % 2 == 0)) {
      end();
    } else {
      item += c;
    }
  }
  end();
  return items;
}

Json header_value(std::string_view text, const Shape& shape) {
  if (shape.type != Type::list) return from_text(text, shape);
  const Shape& element = *shape.element().shape;
  Json value = Json::array();
  for (const std::string& item : list_items(text, element)) value.push_back(from_text(item, element));
  return value;
}

void read_headers(const Headers& headers, const Member& member, Json& into) {
  if (member.place == Place::header) {
    if (const std::string* const text = find_header(headers, member.sent_as()))
      into[member.name] = header_value(*text, *member.shape);
    return;
  }
  Json map = Json::object();
  for (const Header& header : headers)
    if (header.name.size() > member.wire_name.size() &&
        same_but_for_case(std::string_view(header.name).substr(0, member.wire_name.size()), member.wire_name))
      map[header.name.substr(member.wire_name.size())] = header.value;
  into[member.name] = std::move(map);
}

Json read_document(const RestOperation& operation, const std::string& body, const Shape& shape) {
  if (operation.format == DocumentFormat::json) return from_document(parse_document(operation.name, body), shape);
  return from_xml(parse_xml(operation.name, body).document_element(), shape);
}

}  // namespace

RestRequest rest_request(const RestOperation& operation, const Json& input) {
  RestRequest request;
  const std::size_t mark = operation.uri.find('?');
  request.path = path_of(operation, std::string_view(operation.uri).substr(0, mark), input);
  if (mark != std::string::npos) request.query = operation.uri.substr(mark + 1);
  const std::string more = query_of(operation, input);
  if (!more.empty()) request.query += (request.query.empty() ? "" : "&") + more;
  add_headers(request, operation, input);
  add_body(request, operation, input);
  return request;
}

Json rest_reply(const RestOperation& operation, const HttpResponse& response) {
  Json output = Json::object();
  const Shape& shape = operation.output;
  const Member* const payload = member_named(shape, shape.payload);
  if (payload != nullptr && payload->shape->is_scalar()) {
    if (!response.body.empty()) output[payload->name] = response.body;
  } else if (!response.body.empty()) {
    Json document = read_document(operation, response.body, payload == nullptr ? shape : *payload->shape);
    if (payload == nullptr) {
      output = std::move(document);
    } else {
      output[payload->name] = std::move(document);
    }
  }
  for (const Member& member : shape.members) {
    if (member.place == Place::status) output[member.name] = response.status;
    if (member.place == Place::header || member.place == Place::headers) read_headers(response.headers, member, output);
  }
  return output;
}

HttpResponse rest_answer(ServiceClient& client, const Endpoint& endpoint, const RestCall& call, const Json& input) {
  const RestOperation& operation = call.operation;
  const Json whole = with_tokens(input, operation.input, client.clock());
  RestRequest rest = rest_request(operation, whole);
  ServiceRequest request;
  request.what = call.what.empty() ? operation.name : call.what;
  request.endpoint = endpoint;
  request.method = operation.method;
  request.path = std::move(rest.path);
  request.query = std::move(rest.query);
  request.headers = std::move(rest.headers);
  request.timeouts = call.timeouts;
  request.even_when_cancelled = call.even_when_cancelled;
  return client.answer(OutgoingRequest(std::move(request), std::move(rest.body), operation.traits, whole).request());
}

Json rest_call(ServiceClient& client, const Endpoint& endpoint, const RestCall& call, const Json& input) {
  const HttpResponse reply = rest_answer(client, endpoint, call, input);
  if (!reply.ok()) throw to_error(call.what.empty() ? call.operation.name : call.what, parse_service_error(reply));
  return rest_reply(call.operation, reply);
}

}  // namespace plume::cloud

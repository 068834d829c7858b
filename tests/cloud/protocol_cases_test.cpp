// Every request, reply and error of the protocols' known answers: 564 cases.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "aws_data.hpp"
#include "cloud/protocols/json.hpp"
#include "cloud/protocols/query.hpp"
#include "cloud/protocols/rest.hpp"
#include "cloud/protocols/xml.hpp"
#include "model_shapes.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

Json groups_of(const char* direction, const std::string& protocol) {
  return read_json(aws_data() / "protocols" / direction / (protocol + ".json"));
}

// In no order, as members of a structure have none.
std::multiset<std::string> fields_of(const std::string& form) {
  std::multiset<std::string> fields;
  std::istringstream stream(form);
  for (std::string field; std::getline(stream, field, '&');) fields.insert(field);
  return fields;
}

// What parts are sorted by: members of a structure and entries of a map have no order, elements of a list have one.
std::string sort_key(const std::string& part) {
  const bool entry = part.starts_with("entry[") || part.starts_with("myMap[key[") || part.starts_with("KVP[");
  return entry ? part : part.substr(0, part.find('['));
}

// A document's elements without blanks between them.
std::string canonical_xml(const pugi::xml_node& node) {
  if (node.type() == pugi::node_pcdata) return node.value();
  std::vector<std::string> parts;
  for (const pugi::xml_attribute attribute : node.attributes())
    parts.push_back(fmt::format("@{}={}", attribute.name(), attribute.value()));
  for (const pugi::xml_node child : node.children()) parts.push_back(canonical_xml(child));
  std::stable_sort(parts.begin(), parts.end(),
                   [](const std::string& one, const std::string& other) { return sort_key(one) < sort_key(other); });
  std::string text = std::string(node.name()) + '[';
  for (const std::string& part : parts) text += part + ';';
  return text + ']';
}

std::string canonical_xml(const std::string& text) {
  pugi::xml_document document;
  EXPECT_TRUE(document.load_buffer(text.data(), text.size())) << text;
  return canonical_xml(document.document_element());
}

void expect_same_body(const std::string& sent, const std::string& expected, const std::string& type) {
  if (expected.empty() || type.empty()) {
    EXPECT_EQ(sent, expected);
  } else if (type.find("json") != std::string::npos) {
    EXPECT_EQ(Json::parse(sent), Json::parse(expected));
  } else if (type == "application/xml") {
    EXPECT_EQ(canonical_xml(sent), canonical_xml(expected));
  } else if (type == "application/x-www-form-urlencoded") {
    EXPECT_EQ(fields_of(sent), fields_of(expected));
  } else {
    EXPECT_EQ(sent, expected);
  }
}

void expect_same_request(const Sent& sent, const Json& expected) {
  EXPECT_EQ(sent.method, expected["method"]);
  const std::string host = expected.value("host", "example.com");  // and a path, which stands in uri too
  EXPECT_EQ(sent.url.host, host.substr(0, host.find('/')));
  const std::string uri = expected["uri"];
  const std::size_t mark = uri.find('?');
  EXPECT_EQ(sent.url.path, uri.substr(0, mark));
  EXPECT_EQ(fields_of(sent.url.query), fields_of(mark == std::string::npos ? "" : uri.substr(mark + 1)));
  const Json headers = expected.value("headers", Json::object());
  for (const auto& [name, value] : headers.items()) EXPECT_EQ(sent.header(name), value) << name;
  for (const Json& name : expected.value("forbidHeaders", Json::array()))
    EXPECT_EQ(find_header(sent.headers, name.get<std::string>()), nullptr) << name;
  // Content-Length is the transport's, which sends it where there is a body.
  for (const Json& name : expected.value("requireHeaders", Json::array()))
    EXPECT_TRUE(find_header(sent.headers, name.get<std::string>()) != nullptr ||
                (name == "Content-Length" && !sent.body.empty()))
        << name;
  if (expected.contains("body")) expect_same_body(sent.body, expected["body"], sent.header("Content-Type"));
}

OperationTraits traits_of(const Json& given) {
  return {.host_prefix = given.value("endpoint", Json::object()).value("hostPrefix", ""),
          .compressed = given.contains("requestcompression"),
          .needs_md5 = given.value("httpChecksumRequired", false)};
}

// How many; `call` sends a case's parameters to the endpoint: (client, endpoint, group, case, shapes).
template <class Call>
int replay_requests(const std::string& protocol, const Call& call) {
  int replayed = 0;
  const Json groups = groups_of("input", protocol);
  for (const Json& group : groups) {
    ModelShapes shapes(group["shapes"]);
    for (const Json& one : group["cases"]) {
      SCOPED_TRACE(one["id"].get<std::string>());
      ++replayed;
      ScriptedTransport transport;
      transport.answer({200, {}, {}});
      TestClock clock;
      clock.chance = 0;
      ServiceClient client(transport, nullptr, clock.clock());
      const std::string host = group.value("clientEndpoint", one.value("clientEndpoint", "https://example.com"));
      call(client, Endpoint{*parse_url(host), "service", "us-east-1"}, group, one, shapes);
      expect_same_request(transport.sent().at(0), one["serialized"]);
    }
  }
  return replayed;
}

const Shape& input_of(const Json& one, ModelShapes& shapes) {
  return shapes.shape(one["given"].value("input", Json()));
}

// A result as plume gives it: times without fractions of a second.
Json in_whole_seconds(Json value, const Shape& shape) {
  if (shape.type == Type::timestamp) return value.get<long>();
  if (shape.type == Type::structure)
    for (const Member& member : shape.members)
      if (value.contains(member.name)) value[member.name] = in_whole_seconds(value[member.name], *member.shape);
  if (shape.type == Type::list || shape.type == Type::map)
    for (Json& inner : value)
      if (!inner.is_null()) inner = in_whole_seconds(inner, *shape.members.back().shape);
  return value;
}

void expect_same_error(const ServiceError& error, const Json& expected) {
  EXPECT_EQ(error.code, expected["errorCode"]);
  EXPECT_EQ(error.message, expected.value("errorMessage", error.message));
}

// How many; `read` makes a value of a case's reply: (case, output shape, reply).
template <class Read>
int replay_replies(const std::string& protocol, const Read& read) {
  int replayed = 0;
  const Json groups = groups_of("output", protocol);
  for (const Json& group : groups) {
    ModelShapes shapes(group["shapes"]);
    for (const Json& one : group["cases"]) {
      SCOPED_TRACE(one["id"].get<std::string>());
      ++replayed;
      const Json& response = one["response"];
      HttpResponse reply{response["status_code"], {}, response.value("body", "")};
      const Json headers = response.value("headers", Json::object());
      for (const auto& [name, value] : headers.items()) reply.headers.push_back({name, value});
      if (one.contains("errorCode")) {
        expect_same_error(parse_service_error(reply), one);
        continue;
      }
      const Shape& shape = shapes.shape(one["given"].value("output", Json()));
      EXPECT_EQ(read(one, shape, reply), in_whole_seconds(one["result"], shape));
    }
  }
  return replayed;
}

RestOperation operation_of(const Json& one, DocumentFormat format) {
  const Json& given = one["given"];
  return {.name = given["name"],
          .method = given["http"]["method"],
          .uri = given["http"]["requestUri"],
          .format = format,
          .xml_name = given.value("input", Json::object()).value("locationName", ""),
          .traits = traits_of(given)};
}

int replay_rest_requests(const std::string& protocol, DocumentFormat format) {
  return replay_requests(protocol, [&](ServiceClient& client, const Endpoint& endpoint, const Json&, const Json& one,
                                       ModelShapes& shapes) {
    RestOperation operation = operation_of(one, format);
    operation.input = input_of(one, shapes);
    static_cast<void>(rest_call(client, endpoint, {operation}, one["params"]));
  });
}

int replay_rest_replies(const std::string& protocol, DocumentFormat format) {
  return replay_replies(protocol, [&](const Json& one, const Shape& shape, const HttpResponse& reply) {
    RestOperation operation = operation_of(one, format);
    operation.output = shape;
    return rest_reply(operation, reply);
  });
}

TEST(ProtocolCases, RequestsOfJson11) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_requests("json", [](ServiceClient& client, const Endpoint& endpoint, const Json& group,
                                                  const Json& one, ModelShapes& shapes) {
    static_cast<void>(json_call(client, endpoint, group["metadata"]["targetPrefix"], one["given"]["name"],
                                to_document(one["params"], input_of(one, shapes)), false, traits_of(one["given"])));
  });
  EXPECT_EQ(replayed, 54);
}

TEST(ProtocolCases, RepliesOfJson11) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_replies("json", [](const Json&, const Shape& shape, const HttpResponse& reply) {
    return from_document(parse_document("case", reply.body), shape);
  });
  EXPECT_EQ(replayed, 58);
}

TEST(ProtocolCases, RequestsOfQuery) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_requests("query", [](ServiceClient& client, const Endpoint& endpoint, const Json& group,
                                                   const Json& one, ModelShapes& shapes) {
    const QueryOperation operation{.name = one["given"]["name"],
                                   .version = group["metadata"]["apiVersion"],
                                   .input = input_of(one, shapes),
                                   .traits = traits_of(one["given"])};
    static_cast<void>(query_call(client, endpoint, "case", operation, one["params"]));
  });
  EXPECT_EQ(replayed, 38);
}

TEST(ProtocolCases, RepliesOfQuery) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_replies("query", [](const Json& one, const Shape& shape, const HttpResponse& reply) {
    return query_reply({.name = one["given"]["name"], .version = {}, .output = shape}, reply.body);
  });
  EXPECT_EQ(replayed, 38);
}

TEST(ProtocolCases, RequestsOfRestJson) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_rest_requests("rest-json", DocumentFormat::json);
  EXPECT_EQ(replayed, 113);
}

TEST(ProtocolCases, RepliesOfRestJson) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_rest_replies("rest-json", DocumentFormat::json);
  EXPECT_EQ(replayed, 91);
}

TEST(ProtocolCases, RequestsOfRestXml) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_rest_requests("rest-xml", DocumentFormat::xml);
  EXPECT_EQ(replayed, 94);
}

TEST(ProtocolCases, RepliesOfRestXml) {
  PLUME_NEEDS_AWS_DATA();
  const int replayed = replay_rest_replies("rest-xml", DocumentFormat::xml);
  EXPECT_EQ(replayed, 78);
}

}  // namespace
}  // namespace plume::tests

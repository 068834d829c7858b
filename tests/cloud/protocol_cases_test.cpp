// The request cases of the two protocols whose calls plume builds from values: awsJson1.1 and query. Out of scope is
// what no service that plume calls has: host prefixes and compression asked for by a model, tokens made up by the
// client, and in query flattened, renamed and keyed lists (STS has plain ones).
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "aws_data.hpp"
#include "cloud/protocols/json.hpp"
#include "cloud/protocols/query.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

// A case's parameters as they are sent: by its model, bytes in base64, times in the format they are to have.
class Encoder {
 public:
  Encoder(const Json& shapes, std::string usual_time) : shapes_(shapes), usual_time_(std::move(usual_time)) {}

  [[nodiscard]] Json encode(const Json& value, const Json& reference) const {
    const Json& shape = shapes_.at(reference.at("shape").get<std::string>());
    const std::string type = shape["type"];
    if (type == "structure" && !shape.value("document", false)) {
      Json encoded = Json::object();
      for (const auto& [name, member] : value.items()) {
        if (member.is_null()) continue;
        const Json& inner = shape["members"][name];
        encoded[inner.value("locationName", name)] = encode(member, inner);
      }
      return encoded;
    }
    if (type == "list" || type == "map") {
      Json encoded = value;
      for (auto& member : encoded) member = encode(member, shape[type == "list" ? "member" : "value"]);
      return encoded;
    }
    if (type == "blob") return base64(value.get<std::string>());
    if (type == "timestamp") {
      const Time time{std::chrono::seconds(value.get<long>())};
      const std::string format = shape.value("timestampFormat", reference.value("timestampFormat", usual_time_));
      if (format == "iso8601") return iso_time(time);
      if (format == "rfc822") return http_date(time);
    }
    return value;
  }

 private:
  const Json& shapes_;
  std::string usual_time_;
};

bool has_any(const Json& group, std::initializer_list<const char*> words) {
  const std::string text = group["shapes"].dump() + group["cases"][0]["given"].dump();
  for (const char* const word : words)
    if (text.find(std::string("\"") + word + '"') != std::string::npos) return true;
  return false;
}

// In no order, as members of a structure have none.
std::multiset<std::string> fields_of(const std::string& form) {
  std::multiset<std::string> fields;
  std::istringstream stream(form);
  for (std::string field; std::getline(stream, field, '&');) fields.insert(field);
  return fields;
}

struct Counts {
  int replayed = 0;
  int out_of_scope = 0;
};

// `call` sends a case's parameters to the endpoint.
template <class Call>
Counts replay(const char* protocol, std::initializer_list<const char*> out_of_scope, const std::string& usual_time,
              const Call& call) {
  Counts counts;
  const Json groups = Json::parse(read_file(aws_data() / "protocols/input" / (std::string(protocol) + ".json")));
  for (const Json& group : groups) {
    for (const Json& one : group["cases"]) {
      SCOPED_TRACE(one["id"].get<std::string>());
      if (has_any(group, out_of_scope)) {
        ++counts.out_of_scope;
        continue;
      }
      ++counts.replayed;
      ScriptedTransport transport;
      transport.answer({200, {}, {}});
      TestClock clock;
      ServiceClient client(transport, nullptr, clock.clock());
      const Json& given = one["given"];
      Json input;
      if (given.contains("input")) input = Encoder(group["shapes"], usual_time).encode(one["params"], given["input"]);
      const std::string host = group.value("clientEndpoint", one.value("clientEndpoint", "https://example.com"));
      call(client, Endpoint{*parse_url(host), "service", "us-east-1"}, group["metadata"],
           given["name"].get<std::string>(), input);
      const Sent& sent = transport.sent().at(0);
      const Json& expected = one["serialized"];
      EXPECT_EQ(sent.method, expected["method"]);
      EXPECT_EQ(sent.url.path, expected["uri"]);
      const Json headers = expected.value("headers", Json::object());
      for (const auto& [name, value] : headers.items()) EXPECT_EQ(sent.header(name), value) << name;
      if (!expected.contains("body")) continue;
      const std::string body = expected["body"];
      if (std::string_view(protocol) == "json") {
        EXPECT_EQ(Json::parse(sent.body), Json::parse(body));
      } else {
        EXPECT_EQ(fields_of(sent.body), fields_of(body));
      }
    }
  }
  return counts;
}

TEST(ProtocolCases, RequestsInJson) {
  PLUME_NEEDS_AWS_DATA();
  const Counts counts =
      replay("json", {"endpoint", "requestcompression"}, "unixTimestamp",
             [](ServiceClient& client, const Endpoint& endpoint, const Json& metadata, const std::string& operation,
                const Json& input) {
               static_cast<void>(json_call(client, endpoint, metadata["targetPrefix"], operation, input));
             });
  EXPECT_EQ(counts.replayed, 50);
  EXPECT_EQ(counts.out_of_scope, 4);
}

TEST(ProtocolCases, RequestsInForms) {
  PLUME_NEEDS_AWS_DATA();
  const Counts counts =
      replay("query", {"endpoint", "requestcompression", "idempotencyToken", "flattened", "map"}, "iso8601",
             [](ServiceClient& client, const Endpoint& endpoint, const Json& metadata, const std::string& operation,
                const Json& input) {
               Form form;
               if (input.is_object())
                 for (const auto& [name, value] : input.items()) form.add_tree(name, value);
               static_cast<void>(query_call(client, endpoint, operation, operation, metadata["apiVersion"], form));
             });
  EXPECT_EQ(counts.replayed + counts.out_of_scope, 38);
  EXPECT_EQ(counts.replayed, 17);
}

}  // namespace
}  // namespace plume::tests

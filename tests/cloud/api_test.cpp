// An API's requests in their order, and what a refusal on the way takes back.
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "cloud/api/create.hpp"
#include "expect_cloud_error.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

constexpr const char* function_arn = "arn:aws:lambda:us-east-1:123456789012:function:smoke-api";

ApiSettings example() {
  return {.name = "smoke-api",
          .endpoint = "smoke",
          .role = "arn:aws:iam::123456789012:role/function",
          .archive = "zip",
          .run = "this"};
}

class ApiTest : public testing::Test {
 protected:
  // Answers as AWS does, but refuses the request whose text this is, or loses the replies to its first attempts.
  std::string refused;
  std::string lost;
  int lost_replies = 1;
  std::vector<std::string> asked;
  std::vector<std::string> states{"Pending", "Active"};
  Json function;             // null: there is none
  Json tags_error;           // in place of its tags
  std::map<int, Json> apis;  // by number
  ScriptedTransport transport;
  TestClock clock;
  ServiceClient client{transport, nullptr, clock.clock(), {.attempts = 2}};
  ApiServices services{Functions(client, at("lambda")), ApiGateway(client, at("apigateway")), Logs(client, at("logs"))};

  static Endpoint at(const std::string& service) { return {*parse_url("https://" + service), service, "us-east-1"}; }

  void SetUp() override {
    transport.answer_all([this](const Sent& sent) {
      const std::string text = sent.url.host == "logs" ? sent.header("X-Amz-Target") : sent.method + sent.url.path;
      asked.push_back(text);
      if (text == refused) return HttpResponse{403, {}, R"({"__type": "AccessDeniedException", "Message": "no"})"};
      HttpResponse reply = answer(sent, text);
      if (text == lost && lost_replies-- > 0) throw TransportError(TransportError::Kind::broken, "reset");
      return reply;
    });
  }

  HttpResponse answer(const Sent& sent, const std::string& text) {
    const HttpResponse missing{404, {}, R"({"__type": "ResourceNotFoundException"})"};
    const HttpResponse conflict{409, {}, R"({"__type": "ResourceConflictException", "Message": "it exists"})"};
    const std::string path = "/2015-03-31/functions";
    if (text == "POST" + path) {
      if (!function.is_null()) return conflict;
      function = Json::parse(sent.body);
    } else if (text == "DELETE" + path + "/smoke-api") {
      function = nullptr;
    } else if (text.starts_with("GET" + path)) {
      if (function.is_null()) return missing;
      if (!text.ends_with("/configuration")) {
        Json reply{{"Tags", function["Tags"]}};
        if (!tags_error.is_null()) reply = {{"TagsError", tags_error}};
        return {200, {}, reply.dump()};
      }
      const std::string state = states.front();
      if (states.size() > 1) states.erase(states.begin());
      return {200, {}, Json{{"FunctionArn", function_arn}, {"State", state}, {"StateReason", "because"}}.dump()};
    } else if (text == "GET/v2/apis") {
      Json items = Json::array();
      for (const auto& [number, api] : apis)
        items.push_back({{"apiId", "a" + std::to_string(number)}, {"name", api["name"]}, {"tags", api["tags"]}});
      return {200, {}, Json{{"items", items}}.dump()};
    } else if (text == "POST/v2/apis") {
      apis[++numbers_] = Json::parse(sent.body);
    } else if (text.starts_with("DELETE/v2/apis/a")) {
      apis.erase(text.back() - '0');
    } else if (sent.url.host != "logs" && !text.ends_with("/integrations") && !parts_.insert(text).second) {
      return conflict;  // a route, stage or permission
    }
    if (sent.method == "DELETE") return {204, {}, ""};
    return {201,
            {},
            Json{{"FunctionArn", function_arn},
                 {"State", "Pending"},
                 {"apiId", "a" + std::to_string(numbers_)},
                 {"apiEndpoint", "https://a1.execute-api"},
                 {"integrationId", "i1"}}
                .dump()};
  }

  void start_anew() {
    numbers_ = 0;
    parts_.clear();
  }
  void nothing_is_left() {
    EXPECT_TRUE(function.is_null());
    EXPECT_TRUE(apis.empty());
  }

 private:
  int numbers_ = 0;
  std::set<std::string> parts_;
};

TEST_F(ApiTest, IsMadeInOrder) {
  EXPECT_EQ(create_api(services, example(), {}), "https://a1.execute-api/predict");
  EXPECT_EQ(asked,
            (std::vector<std::string>{"GET/v2/apis", "GET/2015-03-31/functions/smoke-api/configuration",
                                      "Logs_20140328.CreateLogGroup", "Logs_20140328.PutRetentionPolicy",
                                      "POST/2015-03-31/functions", "GET/2015-03-31/functions/smoke-api/configuration",
                                      "GET/2015-03-31/functions/smoke-api/configuration", "POST/v2/apis", "GET/v2/apis",
                                      "POST/v2/apis/a1/integrations", "POST/v2/apis/a1/routes",
                                      "POST/v2/apis/a1/stages", "POST/2015-03-31/functions/smoke-api/policy"}));
  const Json route = Json::parse(transport.sent().at(10).body);
  EXPECT_EQ(route, Json::parse(R"({"routeKey": "POST /predict", "target": "integrations/i1"})"));
  const Json permission = Json::parse(transport.sent().back().body);
  EXPECT_EQ(permission["SourceArn"], "arn:aws:execute-api:us-east-1:123456789012:a1/*/*/predict");
  EXPECT_EQ(Json::parse(transport.sent().at(4).body)["Code"]["ZipFile"], "emlw");
}

TEST_F(ApiTest, ARefusalTakesBackWhatWasMade) {
  refused = "POST/2015-03-31/functions/smoke-api/policy";
  expect_cloud_error(Failure::credentials, "AddPermission", [&] { create_api(services, example(), {}); });
  EXPECT_EQ(asked.back(), "Logs_20140328.DeleteLogGroup");
  nothing_is_left();
}

TEST_F(ApiTest, AFunctionThatDoesNotStartIsTakenBack) {
  states = {"Pending", "Failed"};
  expect_cloud_error(Failure::failed, "function smoke-api failed: because",
                     [&] { create_api(services, example(), {}); });
  EXPECT_EQ(asked.back(), "Logs_20140328.DeleteLogGroup");
}

// Every creation is tried again where its answer was lost, and must not be made twice or taken for another's.
TEST_F(ApiTest, IsMadeOnceThoughAnAnswerIsLost) {
  for (const char* request : {"POST/2015-03-31/functions", "POST/v2/apis", "POST/v2/apis/a1/routes",
                              "POST/v2/apis/a1/stages", "POST/2015-03-31/functions/smoke-api/policy"}) {
    lost = request;
    lost_replies = 1;
    states = {"Active"};
    EXPECT_NO_THROW(create_api(services, example(), {})) << request;
    EXPECT_EQ(apis.size(), 1U) << request;
    EXPECT_NO_THROW(delete_api(services, "smoke-api", false));
    nothing_is_left();
    start_anew();
  }
}

// Another's function or API of that name is nobody's to remove, unless its user says so.
TEST_F(ApiTest, WhatPlumeDidNotMakeStays) {
  const auto refuses = [&](Failure failure, const char* what) {
    expect_cloud_error(failure, what, [&] { static_cast<void>(delete_api(services, "smoke-api", false)); });
    EXPECT_FALSE(function.is_null());
    EXPECT_EQ(apis.size(), 1U);
  };
  static_cast<void>(create_api(services, example(), {}));
  const Json tags = std::exchange(function["Tags"], Json::object());
  refuses(Failure::conflict, "function smoke-api has no tag plume-run");
  function["Tags"] = tags;
  tags_error = {{"ErrorCode", "AccessDeniedException"}, {"Message", "no"}};
  refuses(Failure::credentials, "lambda:ListTags");
  tags_error = nullptr;
  apis.begin()->second["tags"] = Json::object();
  refuses(Failure::conflict, "API a1 has no tag plume-run");
  EXPECT_EQ(delete_api(services, "smoke-api", true).size(), 3U);
  nothing_is_left();
}

TEST_F(ApiTest, TakesBackWhatNoAnswerHasToldOf) {
  for (const char* request : {"POST/2015-03-31/functions", "POST/v2/apis"}) {
    lost = request;
    lost_replies = 2;
    EXPECT_THROW(create_api(services, example(), {}), TransportError) << request;
    nothing_is_left();
    start_anew();
  }
}

TEST_F(ApiTest, TakesBackNothingOfAnother) {
  lost = "POST/2015-03-31/functions";
  transport.answer([this](const Sent& sent) { return answer(sent, "GET/v2/apis"); });
  transport.answer([this](const Sent& sent) {
    const HttpResponse none = answer(sent, "GET/2015-03-31/functions/smoke-api/configuration");
    function = {{"Tags", {{"plume-run", "another"}}}};  // in the moment behind our look
    return none;
  });
  expect_cloud_error(Failure::conflict, "it exists", [&] { create_api(services, example(), {}); });
  EXPECT_FALSE(function.is_null());
}

TEST_F(ApiTest, PlanHoldsNoArchive) {
  for (const auto& [operation, document] : api_plan(example()))
    EXPECT_EQ(document.dump().find("emlw"), std::string::npos) << operation;
}

TEST(ApiDocumentsTest, WrongSettingsAreNamed) {
  const auto refuses = [](auto member, const auto& value, const char* word) {
    ApiSettings settings = example();
    settings.*member = value;
    expect_cloud_error(Failure::usage, word, [&] { static_cast<void>(api_documents(settings, {})); });
  };
  refuses(&ApiSettings::name, std::string("a b"), "a b");
  refuses(&ApiSettings::role, std::string("x"), "role x");
  refuses(&ApiSettings::image, std::string("x"), "one of them");
  refuses(&ApiSettings::route, std::string("predict"), "slash");
  refuses(&ApiSettings::memory, 100, "10240");
}

}  // namespace
}  // namespace plume::tests

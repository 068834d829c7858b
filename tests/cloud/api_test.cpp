// An API's requests in their order, and what a refusal on the way takes back.
#include <gtest/gtest.h>

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
  return {
      .name = "smoke-api", .endpoint = "smoke", .role = "arn:aws:iam::123456789012:role/function", .archive = "zip"};
}

class ApiTest : public testing::Test {
 protected:
  // Answers as AWS does, but refuses the request whose text this is.
  std::string refused;
  std::vector<std::string> asked;
  std::vector<std::string> states{"Pending", "Active"};
  ScriptedTransport transport;
  TestClock clock;
  ServiceClient client{transport, nullptr, clock.clock(), {.attempts = 1}};
  ApiServices services{Functions(client, at("lambda")), ApiGateway(client, at("apigateway")), Logs(client, at("logs"))};

  static Endpoint at(const std::string& service) { return {*parse_url("https://" + service), service, "us-east-1"}; }

  void SetUp() override {
    transport.answer_all([this](const Sent& sent) {
      const std::string text = sent.url.host == "logs" ? sent.header("X-Amz-Target") : sent.method + sent.url.path;
      asked.push_back(text);
      if (text == refused) return HttpResponse{403, {}, R"({"__type": "AccessDeniedException", "Message": "no"})"};
      return answer(sent, text);
    });
  }

  HttpResponse answer(const Sent& sent, const std::string& text) {
    if (text.ends_with("/configuration")) {
      if (!made_) return {404, {}, R"({"__type": "ResourceNotFoundException"})"};
      const std::string state = states.front();
      if (states.size() > 1) states.erase(states.begin());
      return {200, {}, Json{{"FunctionArn", function_arn}, {"State", state}, {"StateReason", "because"}}.dump()};
    }
    if (text == "POST/2015-03-31/functions") made_ = true;
    if (sent.method == "DELETE") return {204, {}, ""};
    if (sent.method == "GET") return {200, {}, R"({"items": []})"};
    return {201,
            {},
            Json{{"FunctionArn", function_arn},
                 {"State", "Pending"},
                 {"apiId", "a1"},
                 {"apiEndpoint", "https://a1.execute-api"},
                 {"integrationId", "i1"}}
                .dump()};
  }

 private:
  bool made_ = false;
};

TEST_F(ApiTest, IsMadeInOrder) {
  EXPECT_EQ(create_api(services, example(), {}), "https://a1.execute-api/predict");
  EXPECT_EQ(asked,
            (std::vector<std::string>{"GET/v2/apis", "GET/2015-03-31/functions/smoke-api/configuration",
                                      "Logs_20140328.CreateLogGroup", "Logs_20140328.PutRetentionPolicy",
                                      "POST/2015-03-31/functions", "GET/2015-03-31/functions/smoke-api/configuration",
                                      "GET/2015-03-31/functions/smoke-api/configuration", "POST/v2/apis",
                                      "POST/v2/apis/a1/integrations", "POST/v2/apis/a1/routes",
                                      "POST/v2/apis/a1/stages", "POST/2015-03-31/functions/smoke-api/policy"}));
  const Json route = Json::parse(transport.sent().at(9).body);
  EXPECT_EQ(route, Json::parse(R"({"routeKey": "POST /predict", "target": "integrations/i1"})"));
  const Json permission = Json::parse(transport.sent().back().body);
  EXPECT_EQ(permission["SourceArn"], "arn:aws:execute-api:us-east-1:123456789012:a1/*/*/predict");
  EXPECT_EQ(Json::parse(transport.sent().at(4).body)["Code"]["ZipFile"], "emlw");
}

TEST_F(ApiTest, ARefusalTakesBackWhatWasMade) {
  refused = "POST/2015-03-31/functions/smoke-api/policy";
  expect_cloud_error(Failure::credentials, "AddPermission", [&] { create_api(services, example(), {}); });
  EXPECT_EQ(std::vector<std::string>(asked.end() - 3, asked.end()),
            (std::vector<std::string>{"DELETE/v2/apis/a1", "DELETE/2015-03-31/functions/smoke-api",
                                      "Logs_20140328.DeleteLogGroup"}));
}

TEST_F(ApiTest, AFunctionThatDoesNotStartIsTakenBack) {
  states = {"Pending", "Failed"};
  expect_cloud_error(Failure::failed, "function smoke-api failed: because",
                     [&] { create_api(services, example(), {}); });
  EXPECT_EQ(asked.back(), "Logs_20140328.DeleteLogGroup");
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

// Errors as services really send them, and as their protocols define them: every case.
#include <gtest/gtest.h>

#include "aws_data.hpp"
#include "cloud/protocols/service_error.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using Json = nlohmann::json;

TEST(ServiceErrorCases, ReadsEveryRecordedOne) {
  PLUME_NEEDS_AWS_DATA();
  int replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(aws_data() / "errors")) {
    if (entry.path().extension() != ".xml") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++replayed;
    auto expected_file = entry.path();
    const Json expected = read_json(expected_file.replace_extension(".json"));
    HttpResponse response{400, {}, read_file(entry.path())};
    const ServiceError error = parse_service_error(response);
    EXPECT_EQ(error.code, expected["Error"]["Code"]);
    EXPECT_EQ(error.message, expected["Error"]["Message"]);
    EXPECT_EQ(error.type, expected["Error"].value("Type", ""));
    EXPECT_EQ(error.request_id, expected["ResponseMetadata"].value("RequestId", error.request_id));
    response.status = 200;
    EXPECT_TRUE(holds_error(response));
  }
  EXPECT_EQ(replayed, 13);
}

TEST(ServiceErrorCases, ReadsEveryOneOfTheProtocols) {
  PLUME_NEEDS_AWS_DATA();
  std::map<std::string, int> replayed;
  for (const std::string protocol : {"json", "rest-json", "rest-xml", "query"}) {
    const Json groups = read_json(aws_data() / "protocols/output" / (protocol + ".json"));
    for (const Json& group : groups) {
      for (const Json& one : group["cases"]) {
        if (!one.contains("errorCode")) continue;
        SCOPED_TRACE(one["id"].get<std::string>());
        ++replayed[protocol];
        const Json& given = one["response"];
        HttpResponse response;
        response.status = given["status_code"];
        const Json headers = given.value("headers", Json::object());
        for (const auto& [name, value] : headers.items()) response.headers.push_back({name, value.get<std::string>()});
        if (given.contains("body") && given["body"].is_string()) response.body = given["body"];
        const ServiceError error = parse_service_error(response);
        EXPECT_EQ(error.code, one["errorCode"]);
        EXPECT_EQ(error.message, one.value("errorMessage", error.message));
      }
    }
  }
  EXPECT_EQ(replayed, (std::map<std::string, int>{{"json", 12}, {"rest-json", 12}, {"rest-xml", 2}, {"query", 3}}));
}

}  // namespace
}  // namespace plume::tests

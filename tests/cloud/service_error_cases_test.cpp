// Errors as services really send them: every case.
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

}  // namespace
}  // namespace plume::tests

// Errors as they come from servers that are not AWS, and from what stands between.
#include "cloud/protocols/service_error.hpp"

#include <gtest/gtest.h>

namespace plume::cloud {
namespace {

ServiceError error_of(int status, const std::string& body, Headers headers = {}) {
  return parse_service_error({status, std::move(headers), body});
}

TEST(ServiceError, SurvivesAnEmptyMessage) {  // Ceph
  const ServiceError error =
      error_of(403,
               "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message></Message>"
               "<RequestId>tx01</RequestId><HostId>1</HostId></Error>");
  EXPECT_EQ(error.code, "SignatureDoesNotMatch");
  EXPECT_EQ(to_error("GetObject s3://b/k", error).what(),
            std::string("GetObject s3://b/k: SignatureDoesNotMatch (403) (request tx01)"));
  EXPECT_EQ(failure_of(error), Failure::credentials);
}

TEST(ServiceError, SurvivesHtml) {  // OpenStack Swift
  const ServiceError error = error_of(400, "<html><h1>Bad Request</h1><p>The server could not comply</html>");
  EXPECT_EQ(error.code, "BadRequest");
  EXPECT_FALSE(holds_error({200, {}, "<html><body>fine</body></html>"}));
}

TEST(ServiceError, SurvivesNoBody) {
  EXPECT_EQ(error_of(404, "").code, "NotFound");
  EXPECT_EQ(failure_of(error_of(404, "")), Failure::not_found);
  EXPECT_EQ(error_of(599, "").code, "Status599");
  EXPECT_EQ(error_of(503, "{broken").code, "ServiceUnavailable");
}

TEST(ServiceError, ReadsXmlFromAServiceThatSpeaksJson) {
  EXPECT_EQ(error_of(403, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>",
                     {{"Content-Type", "application/x-amz-json-1.1"}})
                .code,
            "InvalidClientTokenId");
}

TEST(ServiceError, ReadsWhereTheBucketIs) {
  EXPECT_EQ(error_of(301, "", {{"x-amz-bucket-region", "eu-west-1"}}).region, "eu-west-1");
  EXPECT_EQ(error_of(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>").region,
            "eu-west-1");
}

TEST(ServiceError, IsOneLine) {
  ServiceError error;
  error.status = 400;
  error.code = "Bad";
  error.message = "two\nlines";
  EXPECT_EQ(std::string(to_error("Call", error).what()), "Call: Bad (400): two lines");
}

}  // namespace
}  // namespace plume::cloud

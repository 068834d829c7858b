#include "cloud/signing/post_policy.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "example_keys.hpp"
#include "kernels/base/base64.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

// Amazon S3 API Reference, "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)".
TEST(PostPolicy, SignsTheDocumentationsPolicy) {
  const std::string encoded =
      "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2"
      "NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMt"
      "cmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29t"
      "L3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4"
      "LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0s"
      "DQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZP"
      "RE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1B"
      "Qy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
  const SigningKey key(example_keys(), *parse_time("20151229T000000Z"), "us-east-1", "s3");
  EXPECT_EQ(post_signature(key, encoded), "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e");
}

TEST(PostPolicy, NamesEveryFieldInACondition) {
  Credentials keys = example_keys();
  keys.session_token = Secret("token");
  PostPolicy policy;
  policy.bucket = "tiles";
  policy.key = "in/";
  policy.key_is_prefix = true;
  policy.expires = example_time + std::chrono::hours(1);
  policy.most_size = 1000;
  policy.fields = {{"Content-Type", "image/png"}};
  const Headers fields = sign_post(policy, keys, example_key(), example_time);

  const std::string* const encoded = find_header(fields, "policy");
  ASSERT_NE(encoded, nullptr);
  const auto document = nlohmann::json::parse(*from_base64(*encoded));
  EXPECT_EQ(document["expiration"], "2013-05-24T01:00:00Z");
  EXPECT_EQ(*find_header(fields, "key"), "in/${filename}");
  EXPECT_EQ(*find_header(fields, "x-amz-signature"), post_signature(example_key(), *encoded));
  const auto& conditions = document["conditions"];
  const auto has = [&](const nlohmann::json& wanted) {
    return std::find(conditions.begin(), conditions.end(), wanted) != conditions.end();
  };
  EXPECT_TRUE(has({{"bucket", "tiles"}}));
  EXPECT_TRUE(has(nlohmann::json::array({"starts-with", "$key", "in/"})));
  EXPECT_TRUE(has(nlohmann::json::array({"content-length-range", 0, 1000})));
  for (const Header& field : fields) {
    if (field.name == "key" || field.name == "policy" || field.name == "x-amz-signature") continue;
    EXPECT_TRUE(has({{field.name, field.value}})) << field.name;
  }
}

}  // namespace
}  // namespace plume::tests

// AWS's public documentation: its examples' signatures, and the rules that they leave out.
#include "cloud/signing/sigv4.hpp"

#include <gtest/gtest.h>

#include "example_keys.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

const std::string empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string signature_of(std::string_view method, std::string_view path, std::string_view query, Headers headers,
                         const std::string& payload_hash) {
  headers.push_back({"x-amz-content-sha256", payload_hash});
  return sign_headers(method, path, query, headers, example_keys(), example_key(), example_time, s3_path, payload_hash)
      .signature;
}

// Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single
// Chunk".
TEST(SigV4, SignsTheDocumentationsS3Requests) {
  const Header host{"Host", "examplebucket.s3.amazonaws.com"};
  EXPECT_EQ(signature_of("GET", "/test.txt", "", {host, {"Range", "bytes=0-9"}}, empty_hash),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(
      signature_of("PUT", "/test%24file.text", "",
                   {host, {"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                   hex(sha256("Welcome to Amazon S3."))),
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(signature_of("GET", "/", "lifecycle", {host}, empty_hash),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(signature_of("GET", "/", "max-keys=2&prefix=J", {host}, empty_hash),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// "Authenticating Requests: Using Query Parameters".
TEST(SigV4, PresignsTheDocumentationsGet) {
  std::string query;
  const Headers headers{{"Host", "examplebucket.s3.amazonaws.com"}};
  sign_query("GET", "/test.txt", query, headers, example_keys(), example_key(), example_time,
             std::chrono::seconds(86400), s3_path, unsigned_payload);
  EXPECT_EQ(query,
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
            "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-SignedHeaders=host&X-Amz-Expires=86400&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

// AWS General Reference, "Deriving the signing key": IAM's ListUsers.
TEST(SigV4, SignsTheDocumentationsListUsers) {
  Credentials keys;
  keys.access_key_id = "AKIDEXAMPLE";
  keys.secret_access_key = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  const Time time = *parse_time("20150830T123600Z");
  Headers headers{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}, {"Host", "iam.amazonaws.com"}};
  sign_headers("GET", "/", "Action=ListUsers&Version=2010-05-08", headers, keys,
               SigningKey(keys, time, "us-east-1", "iam"), time, {}, empty_hash);
  EXPECT_EQ(*find_header(headers, "authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, "
            "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

TEST(SigV4, EncodesAPathAgainExceptForS3) {
  const Headers none;
  const auto path = [&](std::string_view text, PathRules rules) {
    const std::string canonical = canonical_request({"GET", text, "", none}, rules, empty_hash).text;
    return canonical.substr(4, canonical.find('\n', 4) - 4);
  };
  EXPECT_EQ(path("/a%20b/./c", {}), "/a%2520b/c");
  EXPECT_EQ(path("/a%20b/./c", s3_path), "/a%20b/./c");
  EXPECT_EQ(path("//", s3_path), "//");
  EXPECT_EQ(path("", s3_path), "/");
}

TEST(SigV4, SignsThePortOfTheHostAndNoHeaderOfTheConnection) {
  const Headers headers{{"Host", "example.com:8080"}, {"User-Agent", "plume"},  {"Expect", "100-continue"},
                        {"Connection", "close"},      {"X-Amzn-Trace-Id", "1"}, {"transfer-encoding", "chunked"}};
  const CanonicalRequest canonical = canonical_request({"GET", "/", "", headers}, {}, empty_hash);
  EXPECT_EQ(canonical.signed_headers, "host");
  EXPECT_NE(canonical.text.find("\nhost:example.com:8080\n"), std::string::npos);
}

TEST(SigV4, SortsParametersByTheirEncodedNames) {
  EXPECT_EQ(canonical_query("b=2&a=%3d&a=&%C3%A4&A=1&a-b=3"), "%C3%A4=&A=1&a=&a=%3D&a-b=3&b=2");
  EXPECT_EQ(canonical_query("key=a+b"), "key=a%2Bb");
  EXPECT_EQ(canonical_query("acl&"), "acl=");
}

TEST(SigV4, KnowsForWhichDayAKeyIs) {
  const SigningKey key = example_key();
  EXPECT_TRUE(key.serves(example_keys(), example_time + std::chrono::hours(23), "us-east-1", "s3"));
  EXPECT_FALSE(key.serves(example_keys(), example_time + std::chrono::hours(24), "us-east-1", "s3"));
  EXPECT_FALSE(key.serves(example_keys(), example_time, "eu-west-1", "s3"));
}

}  // namespace
}  // namespace plume::tests

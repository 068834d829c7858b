#include <gtest/gtest.h>

#include "cloud/endpoints/s3_endpoint.hpp"
#include "cloud/error.hpp"

namespace plume::cloud {
namespace {

TEST(Url, ComesInParts) {
  const auto url = parse_url("HTTP://[::1]:8080/a/b?c=d");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "http");
  EXPECT_EQ(url->host, "[::1]");
  EXPECT_EQ(url->authority(), "[::1]:8080");
  EXPECT_EQ(url->path, "/a/b");
  EXPECT_EQ(url->query, "c=d");
  EXPECT_EQ(url->text(), "http://[::1]:8080/a/b?c=d");
}

TEST(Url, LeavesOutTheUsualPort) {
  EXPECT_EQ(parse_url("https://example.com:443/")->authority(), "example.com");
  EXPECT_EQ(parse_url("http://example.com:80")->authority(), "example.com");
  EXPECT_EQ(parse_url("http://example.com:443")->authority(), "example.com:443");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text : {"", "example.com", "ftp://example.com", "http://", "http://user:password@example.com",
                           "http://example.com/#part", "http://exa mple.com", "http://example.com:port",
                           "http://example.com:123456", "http://example.com/\nHost: other"})
    EXPECT_FALSE(parse_url(text)) << text;
}

TEST(Url, KnowsAddressesFromNames) {
  EXPECT_TRUE(is_ip_address("127.0.0.1"));
  EXPECT_TRUE(is_ip_address("[fe80::1]"));
  EXPECT_FALSE(is_ip_address("127.0.0.1.example.com"));
  EXPECT_FALSE(is_ip_address("fe80"));
}

std::string s3_url(S3Choice choice) {
  choice.region = "eu-central-1";
  return s3_endpoint(choice).url.text();
}

TEST(S3Endpoint, PutsTheBucketIntoTheHostWhereItCan) {
  S3Choice choice;
  choice.bucket = "smoke-tiles";
  EXPECT_EQ(s3_url(choice), "https://smoke-tiles.s3.eu-central-1.amazonaws.com");
  choice.bucket = "smoke.tiles";  // no certificate would match
  EXPECT_EQ(s3_url(choice), "https://s3.eu-central-1.amazonaws.com/smoke.tiles");
  choice.custom = "http://127.0.0.1:7480";
  EXPECT_EQ(s3_url(choice), "http://127.0.0.1:7480/smoke.tiles");
  choice.custom = "https://store.example.com/s3/";
  choice.bucket = "Tiles_1";
  EXPECT_EQ(s3_url(choice), "https://store.example.com/s3/Tiles_1");
}

TEST(ServiceEndpoint, KnowsSageMakersHosts) {
  EXPECT_EQ(service_endpoint(sagemaker, {.region = "us-east-1"}).url.text(),
            "https://api.sagemaker.us-east-1.amazonaws.com");
  EXPECT_EQ(service_endpoint(sagemaker_runtime, {.region = "cn-north-1"}).url.text(),
            "https://runtime.sagemaker.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(service_endpoint(sagemaker_runtime, {.region = "us-east-2", .fips = true}).url.text(),
            "https://runtime-fips.sagemaker.us-east-2.amazonaws.com");
  EXPECT_EQ(service_endpoint(sagemaker_runtime, {.region = "us-east-2"}).signing_name, "sagemaker");
}

TEST(ServiceEndpoint, NeedsARegionOrAnAddress) {
  EXPECT_THROW(static_cast<void>(service_endpoint(lambda, {})), Error);
  EXPECT_THROW(static_cast<void>(service_endpoint(lambda, {.region = "us east"})), Error);
  EXPECT_EQ(service_endpoint(lambda, {.custom = "http://localhost:9001"}).signing_region, "us-east-1");
}

}  // namespace
}  // namespace plume::cloud

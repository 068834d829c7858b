// The text before bodies.
#include "unet/serve/http/head.hpp"

#include <gtest/gtest.h>

namespace plume::serve::http {
namespace {

TEST(Head, PathsOfAllKindsOfTargets) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("/a/b?c=/d?e"), "/a/b");
  EXPECT_EQ(path_of("http://host:80/a?b"), "/a");
  EXPECT_EQ(path_of("http://host"), "/");
  EXPECT_EQ(path_of("http://host?x=/y"), "/");
  EXPECT_EQ(path_of("*"), "*");
  EXPECT_EQ(path_of("/http://host/a"), "/http://host/a");
  EXPECT_EQ(path_of(""), "");
}

TEST(Head, RequestIdsAreVisibleAndShort) {
  EXPECT_TRUE(is_request_id("a-1/~"));
  EXPECT_TRUE(is_request_id(std::string(128, 'a')));
  for (const std::string& text :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\n"), std::string("\xc3\xa9")}) {
    EXPECT_FALSE(is_request_id(text)) << text;
  }
}

TEST(Head, HasWhatTheStandardAsksFor) {
  const Response response{Status::service_unavailable, "text/plain", "body", {{"Allow", "GET"}}};
  const std::string head = head_of(response, "id", true, std::chrono::milliseconds(1200));
  EXPECT_TRUE(head.starts_with("HTTP/1.1 503 Service Unavailable\r\nDate: "));
  EXPECT_TRUE(
      head.ends_with(" GMT\r\nContent-Type: text/plain\r\nContent-Length: 4\r\nX-Request-Id: id\r\nRetry-After: "
                     "2\r\nAllow: GET\r\nConnection: "
                     "close\r\n\r\n"))
      << head;
  const std::string empty = head_of({}, "id", false, {});
  EXPECT_EQ(empty.find("Content-Type"), std::string::npos);
  EXPECT_NE(empty.find("Content-Length: 0\r\n"), std::string::npos);
  EXPECT_EQ(empty.find("Retry-After"), std::string::npos);
}

}  // namespace
}  // namespace plume::serve::http

// Attempts, delays and cures, without a network and without waiting.
#include "cloud/client/service_client.hpp"

#include <gtest/gtest.h>

#include "example_keys.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using namespace std::chrono_literals;

class ExampleKeys final : public CredentialSource {
 public:
  Credentials get(bool anew) override {
    if (anew) ++renewals;
    Credentials keys = example_keys();
    keys.session_token = Secret("token-" + std::to_string(renewals));
    return keys;
  }
  int renewals = 0;
};

HttpResponse error_reply(int status, const std::string& code, Headers headers = {}) {
  return {status, std::move(headers), "<Error><Code>" + code + "</Code></Error>"};
}

class ServiceClientTest : public testing::Test {
 protected:
  [[nodiscard]] ServiceClient client(int attempts = 3) {
    ClientSettings settings;
    settings.attempts = attempts;
    settings.debug = [this](const std::string& text) { debug_ += text + '\n'; };
    return {transport_, &keys_, clock_.clock(), settings};
  }
  [[nodiscard]] static ServiceRequest request() {
    ServiceRequest request;
    request.what = "PutObject s3://b/k";
    request.endpoint = {*parse_url("http://b.example.com"), "s3", "us-east-1"};
    request.method = "PUT";
    request.path = "/k";
    return request;
  }
  // The error that a call ends with.
  template <class Call>
  [[nodiscard]] static cloud::Error failure(const Call& call) {
    try {
      call();
    } catch (const cloud::Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {Failure::failed, ""};
  }

  ScriptedTransport transport_;
  TestClock clock_;
  ExampleKeys keys_;
  std::string debug_;
};

TEST_F(ServiceClientTest, SendsTheBodyAnewInEveryAttempt) {
  transport_.answer(error_reply(503, "SlowDown"));
  transport_.answer([](const Sent&) -> HttpResponse { throw TransportError(TransportError::Kind::broken, "reset"); });
  transport_.answer({200, {}, {}});
  const std::string text(100'000, 'x');
  TextBody body(text);
  ServiceRequest put = request();
  put.body = &body;
  put.payload_hash = hex(sha256(text));
  EXPECT_EQ(client().call(put).status, 200);
  ASSERT_EQ(transport_.sent().size(), 3U);
  for (const Sent& sent : transport_.sent()) {
    EXPECT_TRUE(sent.body == text);
    EXPECT_EQ(sent.header("x-amz-content-sha256"), put.payload_hash);
  }
  // Half of 1 s for a throttle, of 2 x 50 ms for a broken connection.
  EXPECT_EQ(clock_.slept, (std::vector<std::chrono::milliseconds>{500ms, 50ms}));
}

TEST_F(ServiceClientTest, GivesUpAfterItsAttempts) {
  transport_.answer_all([](const Sent&) { return error_reply(500, "InternalError"); });
  const cloud::Error error = failure([&] { static_cast<void>(client(4).call(request())); });
  EXPECT_EQ(error.failure(), Failure::unavailable);
  EXPECT_EQ(error.code(), "InternalError");
  EXPECT_EQ(transport_.sent().size(), 4U);
}

TEST_F(ServiceClientTest, DoesNotRepeatWhatWillFailAgain) {
  transport_.answer(error_reply(403, "AccessDenied"));
  EXPECT_EQ(failure([&] { static_cast<void>(client().call(request())); }).failure(), Failure::credentials);
  transport_.answer(
      [](const Sent&) -> HttpResponse { throw TransportError(TransportError::Kind::refused, "no trust"); });
  EXPECT_EQ(failure([&] { static_cast<void>(client().call(request())); }).failure(), Failure::unavailable);
  EXPECT_EQ(transport_.sent().size(), 2U);
}

TEST_F(ServiceClientTest, WaitsAsLongAsTheServerAsks) {
  transport_.answer(error_reply(503, "SlowDown", {{"Retry-After", "3"}}));
  transport_.answer(error_reply(503, "SlowDown", {{"x-amz-retry-after", "1500"}}));
  transport_.answer(error_reply(503, "SlowDown", {{"Retry-After", http_date(clock_.time + 7s)}}));
  transport_.answer(error_reply(503, "SlowDown", {{"Retry-After", "100000"}}));
  transport_.answer({200, {}, {}});
  static_cast<void>(client(5).call(request()));
  EXPECT_EQ(clock_.slept, (std::vector<std::chrono::milliseconds>{3000ms, 1500ms, 7000ms, 20'000ms}));
}

TEST_F(ServiceClientTest, KeepsADeadlineOverAllAttempts) {
  transport_.answer_all([](const Sent&) { return error_reply(503, "SlowDown"); });
  ClientSettings settings;
  settings.attempts = 10;
  settings.deadline = clock_.elapsed + 1600ms;  // 500 ms, 1000 ms, and not another 2000 ms
  ServiceClient hasty(transport_, &keys_, clock_.clock(), settings);
  EXPECT_THROW(static_cast<void>(hasty.call(request())), cloud::Error);
  ASSERT_EQ(transport_.sent().size(), 3U);
  EXPECT_EQ(transport_.sent()[0].timeouts.whole, 1600ms);
  EXPECT_EQ(transport_.sent()[2].timeouts.whole, 100ms);
}

TEST_F(ServiceClientTest, HandsOutTheLastReplyAsItIs) {
  transport_.answer(error_reply(503, "SlowDown"));
  transport_.answer({424, {}, R"({"OriginalStatusCode":400})"});
  const HttpResponse reply = client().answer(request());
  EXPECT_EQ(reply.status, 424);
  EXPECT_EQ(reply.body, R"({"OriginalStatusCode":400})");
}

TEST_F(ServiceClientTest, StopsWhenItsQuotaIsSpent) {
  transport_.answer_all([](const Sent&) { return error_reply(500, "InternalError"); });
  ServiceClient one = client(1000);
  EXPECT_THROW(static_cast<void>(one.call(request())), cloud::Error);
  EXPECT_EQ(transport_.sent().size(), 101U);  // 500 tokens, 5 for each retry
  EXPECT_THROW(static_cast<void>(one.call(request())), cloud::Error);
  EXPECT_EQ(transport_.sent().size(), 102U);
}

TEST_F(ServiceClientTest, GetsItsQuotaBackBySuccess) {
  ServiceClient one = client(3);
  for (int i = 0; i < 300; ++i) {
    transport_.answer(error_reply(500, "InternalError"));
    transport_.answer({200, {}, {}});
    EXPECT_EQ(one.call(request()).status, 200);
  }
}

TEST_F(ServiceClientTest, CorrectsItsClockOnce) {
  const Time theirs = clock_.time + 1h;
  transport_.answer(error_reply(403, "RequestTimeTooSkewed", {{"Date", http_date(theirs)}}));
  transport_.answer({200, {}, {}});
  ServiceClient one = client();
  static_cast<void>(one.call(request()));
  EXPECT_EQ(transport_.sent().back().header("x-amz-date"), amz_time(theirs));
  EXPECT_EQ(one.skew(), 1h);
  EXPECT_TRUE(clock_.slept.empty());
  transport_.answer({200, {}, {}});
  static_cast<void>(one.call(request()));
  EXPECT_EQ(transport_.sent().back().header("x-amz-date"), amz_time(theirs));  // for all that follow
}

TEST_F(ServiceClientTest, LeavesARightClockWhereTheKeyIsWrong) {
  transport_.answer(error_reply(403, "SignatureDoesNotMatch", {{"Date", http_date(clock_.time + 2s)}}));
  EXPECT_EQ(failure([&] { static_cast<void>(client().call(request())); }).code(), "SignatureDoesNotMatch");
  EXPECT_EQ(transport_.sent().size(), 1U);
}

TEST_F(ServiceClientTest, RenewsExpiredKeysOnce) {
  transport_.answer(error_reply(400, "ExpiredToken"));
  transport_.answer({200, {}, {}});
  static_cast<void>(client().call(request()));
  EXPECT_EQ(transport_.sent().back().header("x-amz-security-token"), "token-1");
  transport_.answer_all([](const Sent&) { return error_reply(400, "ExpiredToken"); });
  EXPECT_THROW(static_cast<void>(client().call(request())), cloud::Error);
  EXPECT_EQ(transport_.sent().size(), 4U);
}

TEST_F(ServiceClientTest, FollowsABucketToItsRegionOnce) {
  ServiceRequest put = request();
  put.elsewhere = [](const std::string& region) {
    return Endpoint{*parse_url("http://b." + region + ".example.com"), "s3", region};
  };
  transport_.answer(error_reply(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-1"}}));
  transport_.answer({200, {}, {}});
  static_cast<void>(client().call(put));
  EXPECT_EQ(transport_.sent().back().url.host, "b.eu-west-1.example.com");
  EXPECT_NE(transport_.sent().back().header("authorization").find("/eu-west-1/s3/"), std::string::npos);
  transport_.answer(error_reply(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-1"}}));
  transport_.answer(error_reply(301, "PermanentRedirect", {{"x-amz-bucket-region", "eu-west-2"}}));
  EXPECT_THROW(static_cast<void>(client().call(put)), cloud::Error);
}

// A region becomes part of a host's name.
TEST_F(ServiceClientTest, GoesToNoHostThatAnAnswerNames) {
  ServiceRequest put = request();
  put.elsewhere = [](const std::string& region) {
    ADD_FAILURE() << region;
    return Endpoint{*parse_url("http://b.example.com"), "s3", region};
  };
  for (const char* region : {"other.org/", "a b", "x@y", "a.b"}) {
    transport_.answer(error_reply(301, "PermanentRedirect", {{"x-amz-bucket-region", region}}));
    EXPECT_THROW(static_cast<void>(client().call(put)), cloud::Error) << region;
  }
}

TEST_F(ServiceClientTest, FindsTheErrorInA200) {
  ServiceRequest complete = request();
  complete.ok_may_hold_error = true;
  transport_.answer(error_reply(200, "InternalError"));
  transport_.answer({200, {}, "<CompleteMultipartUploadResult/>"});
  EXPECT_EQ(client().call(complete).status, 200);
  EXPECT_EQ(transport_.sent().size(), 2U);
  transport_.answer(error_reply(200, "AccessDenied"));
  EXPECT_EQ(failure([&] { static_cast<void>(client().call(complete)); }).failure(), Failure::credentials);
}

TEST_F(ServiceClientTest, TellsWhatItSignedWithoutSecrets) {
  transport_.answer({200, {}, {}});
  static_cast<void>(client().call(request()));
  EXPECT_NE(debug_.find("canonical request\nPUT\n/k\n"), std::string::npos) << debug_;
  EXPECT_NE(debug_.find("AWS4-HMAC-SHA256\n"), std::string::npos);
  EXPECT_NE(debug_.find("x-amz-security-token:[hidden]"), std::string::npos) << debug_;
  EXPECT_EQ(debug_.find("token-0"), std::string::npos);
  EXPECT_EQ(debug_.find("wJalrXUtnFEMI"), std::string::npos);
}

TEST_F(ServiceClientTest, RefusesAnAddressThatLastsTooLong) {
  EXPECT_NE(client().presign(request(), 1h).find("X-Amz-Expires=3600"), std::string::npos);
  EXPECT_EQ(failure([&] { static_cast<void>(client().presign(request(), 169h)); }).failure(), Failure::usage);
}

TEST(Backoff, DoublesUpToTwentySeconds) {
  EXPECT_EQ(backoff(1, Fault::transient, 0.99), 49ms);
  EXPECT_EQ(backoff(4, Fault::transient, 0.5), 200ms);
  EXPECT_EQ(backoff(30, Fault::transient, 0.5), 10'000ms);
  EXPECT_EQ(backoff(3, Fault::throttled, 0.5), 2000ms);
}

}  // namespace
}  // namespace plume::tests

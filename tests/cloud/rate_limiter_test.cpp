// The adaptive mode: its curve by the values that AWS's clients share, its effect on a client that is throttled.
#include "cloud/client/rate_limiter.hpp"

#include <gtest/gtest.h>

#include "cloud/client/service_client.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {
namespace {

using namespace cloud;
using namespace std::chrono_literals;

TEST(CubicRate, FollowsTheSharedCurve) {
  CubicRate rate(10);
  EXPECT_DOUBLE_EQ(rate.after_throttle(10, 5), 7.0);
  const std::vector<std::pair<double, double>> curve{{6, 9.64893600966},      {7, 10.000030849917364},
                                                     {8, 10.453284520772092}, {9, 13.408697022224185},
                                                     {10, 21.26626835427364}, {11, 36.425998516920465}};
  for (const auto& [time, expected] : curve) EXPECT_NEAR(rate.after_success(time), expected, 1e-9) << time;
  // Throttled twice, then free.
  EXPECT_DOUBLE_EQ(rate.after_throttle(7, 12), 4.9);
  EXPECT_LT(rate.after_success(12.5), 7);
  EXPECT_GT(rate.after_success(16), 7);
}

TEST(RateLimiter, HoldsNobodyBackUntilItIsThrottled) {
  TestClock clock;
  RateLimiter limiter(clock.clock());
  for (int i = 0; i < 1000; ++i) {
    limiter.wait(nullptr);
    limiter.replied(false);
  }
  EXPECT_TRUE(clock.slept.empty());
  EXPECT_EQ(limiter.rate(), 0);
}

TEST(RateLimiter, FindsTheRateThatAServiceTakes) {
  TestClock clock;
  RateLimiter limiter(clock.clock());
  // A service that takes 20 requests a second, and a client that has as many as it may send, each of a millisecond.
  constexpr double capacity = 20;
  double tokens = capacity;
  double filled = 0;
  int sent = 0;
  int throttled = 0;
  const auto send = [&] {
    limiter.wait(nullptr);
    clock.elapsed += 1ms;
    const double time = std::chrono::duration<double>(clock.elapsed).count();
    tokens = std::min(capacity, tokens + (time - filled) * capacity);
    filled = time;
    const bool refused = tokens < 1;
    if (!refused) tokens -= 1;
    limiter.replied(refused);
    ++sent;
    throttled += refused ? 1 : 0;
  };
  while (clock.elapsed < 30s) send();  // it has come to its rate by then
  sent = throttled = 0;
  while (clock.elapsed < 150s) send();
  EXPECT_GT(sent - throttled, 0.8 * capacity * 120);  // most of what the service could take
  EXPECT_LT(throttled, 0.1 * sent);
  EXPECT_LT(limiter.rate(), 2.5 * capacity);
}

TEST(RateLimiter, SlowsAClientDownThatAsksForIt) {
  for (const bool adaptive : {false, true}) {
    TestClock clock;
    ScriptedTransport transport;
    ClientSettings settings;
    settings.adaptive = adaptive;
    settings.attempts = 1;
    ServiceClient client(transport, nullptr, clock.clock(), settings);
    ServiceRequest get;
    get.what = "Get";
    get.endpoint = {*parse_url("http://example.com"), "s3", "us-east-1"};
    transport.answer({503, {}, "<Error><Code>SlowDown</Code></Error>"});
    transport.answer_all([](const Sent&) { return HttpResponse{200, {}, {}}; });
    EXPECT_THROW(static_cast<void>(client.call(get)), cloud::Error);
    for (int i = 0; i < 5; ++i) static_cast<void>(client.call(get));
    EXPECT_EQ(clock.slept.empty(), !adaptive);
  }
}

}  // namespace
}  // namespace plume::tests

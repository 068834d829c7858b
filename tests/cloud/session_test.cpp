// What a session's clients are made of.
#include "cloud/session.hpp"

#include <gtest/gtest.h>

#include "expect_cloud_error.hpp"
#include "test_surroundings.hpp"

namespace plume::tests {
namespace {

using namespace cloud;

TEST(SessionTest, AllItsClientsTryAgainAsIsSet) {
  TestSurroundings made_up;
  {
    Session session({}, made_up.surroundings());
    EXPECT_FALSE(session.client().settings().adaptive);
    EXPECT_EQ(session.client().settings().attempts, 3);
    EXPECT_EQ(session.s3()->client().settings().attempts, 10);
  }
  made_up.variables["AWS_RETRY_MODE"] = "adaptive";
  made_up.variables["AWS_MAX_ATTEMPTS"] = "17";
  Session session({}, made_up.surroundings());
  const auto s3 = session.s3();
  for (const ServiceClient* const client : {&session.client(), &s3->client()}) {
    EXPECT_TRUE(client->settings().adaptive);
    EXPECT_EQ(client->settings().attempts, 17);
  }
  made_up.variables["AWS_RETRY_MODE"] = "often";
  expect_cloud_error(Failure::usage, "often", [&] { const Session refused({}, made_up.surroundings()); });
}

}  // namespace
}  // namespace plume::tests

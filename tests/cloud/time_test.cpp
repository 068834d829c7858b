#include "cloud/signing/time.hpp"

#include <gtest/gtest.h>

namespace plume::cloud {
namespace {

const Time moment{std::chrono::seconds(1369353600)};  // 2013-05-24, midnight

TEST(CloudTime, WritesEveryForm) {
  EXPECT_EQ(amz_time(moment), "20130524T000000Z");
  EXPECT_EQ(amz_date(moment), "20130524");
  EXPECT_EQ(iso_time(moment + std::chrono::seconds(3661)), "2013-05-24T01:01:01Z");
  EXPECT_EQ(http_date(moment), "Fri, 24 May 2013 00:00:00 GMT");
}

TEST(CloudTime, ReadsEveryForm) {
  for (const char* text : {"20130524T000000Z", "2013-05-24T00:00:00Z", "2013-05-24T00:00:00.987Z",
                           "2013-05-24T00:00:00+00:00", "2013-05-24T02:30:00+02:30", "2013-05-23T23:00:00-01:00",
                           "Fri, 24 May 2013 00:00:00 GMT", "Fri, 24 May 2013 00:00:00.123 GMT"})
    EXPECT_EQ(parse_time(text), moment) << text;
}

TEST(CloudTime, RefusesWhatIsNone) {
  for (const char* text : {"", "now", "20130524", "2013-02-30T00:00:00Z", "2013-05-24T24:00:00Z", "2013-05-24T00:00:00",
                           "20130524T000000Zx", "Fri, 24 Foo 2013 00:00:00 GMT", "2013--5-24T00:00:00Z"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace plume::cloud

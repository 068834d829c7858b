// Which slices are begun when.
#include "dist/buckets.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>

namespace plume::dist {
namespace {

// Keeps an account of what it is asked.
class Account : public SliceSum {
 public:
  void begin(std::size_t first, std::size_t count) override { events += fmt::format("[{},{}) ", first, first + count); }
  void advance() override {}
  void finish() override { events += "end "; }
  std::string events;
};

const std::vector<std::size_t> starts{0, 16, 32, 96, 112};
constexpr std::size_t size = 160;

TEST(Buckets, CoverTheBufferFromItsEnd) {
  for (const std::size_t elements : {std::size_t{1}, std::size_t{17}, std::size_t{50}, std::size_t{1000}}) {
    Account account;
    const Buckets buckets(account, starts, size, elements, Timing::overlap);
    std::size_t end = size;
    for (const auto& slice : buckets.slices()) {
      EXPECT_EQ(slice.first + slice.count, end) << elements;
      end = slice.first;
    }
    EXPECT_EQ(end, 0U) << elements;
  }
}

// As where the first layers are frozen.
TEST(Buckets, LeaveOutWhatLiesBeforeTheFirst) {
  Account account;
  Buckets buckets(account, {32, 112}, size, 60, Timing::overlap);
  buckets.written(112);
  buckets.written(32);
  buckets.finish();
  EXPECT_EQ(account.events, "[32,160) end ");
}

TEST(Buckets, AreBegunWhileBackwardRuns) {
  Account account;
  Buckets buckets(account, starts, size, 60, Timing::overlap);
  for (int step = 0; step < 2; ++step) {
    account.events.clear();
    for (auto start = starts.rbegin(); start != starts.rend(); ++start) {
      account.events += fmt::format("{} ", *start);
      buckets.written(*start);
    }
    buckets.finish();
    EXPECT_EQ(account.events, "112 96 [96,160) 32 [32,96) 16 0 [0,32) end ");
  }
}

TEST(Buckets, KeepTheirOrderWhereBackwardDoesNot) {
  Account account;
  Buckets buckets(account, starts, size, 60, Timing::overlap);
  for (const std::size_t start : {32U, 112U, 96U, 0U, 16U}) {
    account.events += fmt::format("{} ", start);
    buckets.written(start);
  }
  buckets.finish();
  EXPECT_EQ(account.events, "32 112 96 [96,160) [32,96) 0 16 [0,32) end ");
}

// A parameter that the loss does not reach is never written.
TEST(Buckets, AreAllBegunInTheEnd) {
  Account account;
  Buckets buckets(account, starts, size, 60, Timing::overlap);
  buckets.written(32);
  buckets.finish();
  EXPECT_EQ(account.events, "[96,160) [32,96) [0,32) end ");
}

TEST(Buckets, WaitForTheEndWhereTheyAreToBlock) {
  Account account;
  Buckets buckets(account, starts, size, 60, Timing::blocking);
  for (auto start = starts.rbegin(); start != starts.rend(); ++start) buckets.written(*start);
  EXPECT_EQ(account.events, "");
  buckets.finish();
  EXPECT_EQ(account.events, "[96,160) [32,96) [0,32) end ");
}

TEST(Buckets, AreLeftAloneWhereNothingIsToBeSummed) {
  Account account;
  Buckets buckets(account, starts, size, 60, Timing::none);
  for (auto start = starts.rbegin(); start != starts.rend(); ++start) buckets.written(*start);
  buckets.finish();
  EXPECT_EQ(account.events, "");
}

TEST(Buckets, RefuseAGradientThatIsWrittenTwice) {
  Account account;
  Buckets buckets(account, starts, size, 1, Timing::overlap);
  buckets.written(112);
  EXPECT_THROW(buckets.written(112), std::logic_error);
}

}  // namespace
}  // namespace plume::dist

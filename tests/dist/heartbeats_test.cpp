// Lines of ranks, and whom they speak against.
#include "dist/heartbeats.hpp"

#include <gtest/gtest.h>

#include "../scratch_folder.hpp"

namespace plume::dist {
namespace {

constexpr std::int64_t now = 1'000'000;

Heartbeat beat(int rank, std::int64_t begun, std::int64_t waiting) {
  Heartbeat beat;
  beat.rank = rank;
  beat.host = "jwb0123";
  beat.process = 4711;
  beat.step = 412;
  beat.phase = waiting == 0 ? "data" : "exchange";
  beat.since = now - 61'000;
  beat.begun = begun;
  beat.waiting = waiting;
  beat.published = now - 300;
  beat.state = "running";
  return beat;
}

TEST(Heartbeats, AreReadAsTheyWerePublished) {
  const tests::ScratchFolder folder;
  Heartbeats beats(folder / "run/ranks", 77);
  for (const int rank : {3, 0, 1, 3}) beats.publish(beat(rank, rank + 10, 5));
  const auto read = beats.read();
  ASSERT_EQ(read.size(), 3U);  // rank 2 has not come
  EXPECT_EQ(read[2].rank, 3);
  EXPECT_EQ(read[2].host, "jwb0123");
  EXPECT_EQ(read[2].process, 4711);
  EXPECT_EQ(read[2].step, 412);
  EXPECT_EQ(read[2].phase, "exchange");
  EXPECT_EQ(read[2].since, now - 61'000);
  EXPECT_EQ(read[2].begun, 13);
  EXPECT_EQ(read[2].waiting, 5);
  EXPECT_EQ(read[2].published, now - 300);
  EXPECT_EQ(read[2].state, "running");
}

TEST(Heartbeats, TheFirstToBlameIsTheOnlyOne) {
  const tests::ScratchFolder folder;
  Heartbeats one(folder / "", 5);
  Heartbeats two(folder / "", 5);
  EXPECT_EQ(two.fault(), "");
  EXPECT_TRUE(one.blame("rank 3 was killed", 3));
  EXPECT_FALSE(two.blame("rank 1 waits", 4));
  EXPECT_EQ(two.fault(), "rank 3 was killed");
  EXPECT_EQ(two.fault_code(), 3);
}

TEST(Heartbeats, OfEarlierRunsAreForgotten) {
  const tests::ScratchFolder folder;
  tests::write_file(folder / "notes.txt", "mine");
  {
    Heartbeats old(folder / "", 1);
    old.publish(beat(0, 1, 0));
    ASSERT_TRUE(old.blame("it failed", 4));
  }
  Heartbeats own(folder / "", 2);
  own.publish(beat(0, 1, 0));
  forget_earlier_runs(folder / "", 2);
  EXPECT_EQ(own.read().size(), 1U);
  EXPECT_EQ(Heartbeats(folder / "", 1).fault(), "");
  EXPECT_TRUE(std::filesystem::exists(folder / "notes.txt"));
}

TEST(WhomToBlame, WhoHasJoinedTheFewestCollectives) {
  const std::vector<Heartbeat> beats{beat(0, 90, now - 60'000), beat(1, 90, now - 60'000), beat(2, 89, 0),
                                     beat(3, 90, now - 60'000)};
  EXPECT_EQ(whom_to_blame(beats, 4, now, 5000), "last seen rank 2 on jwb0123: step 412, phase data, 61 s ago");
}

// A node that is gone: its ranks waited as the others do when they were last heard of.
TEST(WhomToBlame, WhoIsSilentBeforeWhoIsBehind) {
  std::vector<Heartbeat> beats{beat(0, 90, now - 60'000), beat(1, 89, 0), beat(2, 90, now - 60'000)};
  beats[2].published = now - 40'000;
  EXPECT_EQ(whom_to_blame(beats, 3, now, 5000), "last seen rank 2 on jwb0123: step 412, phase exchange, 61 s ago");
}

// All have joined the same collectives; one is stuck in it.
TEST(WhomToBlame, WhoHangsInACollective) {
  std::vector<Heartbeat> beats{beat(0, 90, now - 60'000), beat(1, 90, now - 60'000), beat(2, 89, 0)};
  beats[1].state = "hung";
  EXPECT_EQ(whom_to_blame(beats, 3, now, 5000), "last seen rank 1 on jwb0123: step 412, phase exchange, 61 s ago");
}

TEST(WhomToBlame, WhoNeverCame) {
  EXPECT_EQ(whom_to_blame({beat(0, 1, 1), beat(3, 1, 1)}, 4, now, 5000), "never heard of: rank 1, 2");
}

TEST(WhomToBlame, NobodyWhereAllWaitForEachOther) {
  const std::vector<Heartbeat> beats{beat(0, 9, now - 60'000), beat(1, 9, now - 60'000)};
  EXPECT_NE(whom_to_blame(beats, 2, now, 5000).find("network"), std::string::npos);
}

TEST(WhomToBlame, NamesAFewOfMany) {
  std::vector<Heartbeat> beats;
  for (int rank = 0; rank < 16; ++rank) beats.push_back(beat(rank, rank < 8 ? 5 : 6, 0));
  EXPECT_NE(whom_to_blame(beats, 16, now, 5000).find("and 4 more"), std::string::npos);
}

}  // namespace
}  // namespace plume::dist

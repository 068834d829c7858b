// Which checkpoints are kept, and which one a training goes on from when the newest is damaged.
#include "unet/kept_checkpoints.hpp"

#include <gtest/gtest.h>

#include "../expect_error.hpp"
#include "small_training.hpp"
#include "unet/checkpoint.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/train.hpp"

namespace plume::unet {
namespace {

using tests::expect_input_error;

class KeptCheckpoints : public testing::Test {
 protected:
  // Saves after every second step, eight in all.
  TrainOutcome run(int keep, std::int64_t steps = 8, const std::filesystem::path& resume = {}) {
    TrainOptions options;
    options.config = tests::small_config(shard_);
    options.config.schedule.kind = ScheduleSettings::Kind::constant;
    options.config.schedule.warmup = 0;
    options.config.train.validate_every = 2;
    options.config.train.keep = keep;
    options.config.train.steps = steps;
    options.output = folder_ / "run";
    options.resume = resume;
    options.quiet = true;
    return train(options);
  }
  [[nodiscard]] std::filesystem::path kept(int age) const { return checkpoint_path(folder_ / "run", age); }
  [[nodiscard]] bool exists(int age) const { return std::filesystem::exists(kept(age)); }
  void flip_a_bit(int age) const {
    std::string bytes = tests::read_file(kept(age));
    bytes[bytes.size() / 2] ^= 1;
    tests::write_file(kept(age), bytes);
  }
  [[nodiscard]] std::string file_of(int age) const { return tests::read_file(kept(age)); }

  tests::ScratchFolder folder_;
  std::filesystem::path shard_ = tests::small_shard(folder_);
  std::vector<std::string> notes_;
  std::function<void(const std::string&)> note_ = [this](const std::string& line) { notes_.push_back(line); };
};

TEST_F(KeptCheckpoints, AreTheLastFew) {
  static_cast<void>(run(3));
  for (int age = 0; age < 3; ++age) EXPECT_EQ(require_whole(kept(age)), 8 - 2 * age);
  EXPECT_FALSE(exists(3));
  EXPECT_EQ(newest_whole(folder_ / "run", note_), kept(0));
  EXPECT_TRUE(notes_.empty());
  EXPECT_EQ(newest_whole(folder_ / "elsewhere", note_), std::nullopt);
}

TEST_F(KeptCheckpoints, AreFewerWhereFewerAreWanted) {
  static_cast<void>(run(4));
  EXPECT_TRUE(exists(3));
  static_cast<void>(run(1, 10, kept(0)));
  EXPECT_TRUE(exists(0));
  EXPECT_FALSE(exists(1) || exists(2) || exists(3));
}

TEST_F(KeptCheckpoints, StandInForADamagedOne) {
  static_cast<void>(run(2));
  const std::string whole = file_of(0);
  flip_a_bit(0);
  expect_input_error([&] { static_cast<void>(load_model(kept(0))); }, "last.safetensors", "damaged");
  expect_input_error([&] { static_cast<void>(run(2, 8, kept(0))); }, "last.safetensors", "damaged");
  ASSERT_EQ(newest_whole(folder_ / "run", note_), kept(1));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_.front().find("going on from"), std::string::npos);
  EXPECT_NE(notes_.front().find("of step 6"), std::string::npos) << notes_.front();
  static_cast<void>(run(2, 8, kept(1)));
  EXPECT_TRUE(file_of(0) == whole) << "another training than without the damage";
}

// The damaged one must not take a whole one's place when the next is written.
TEST_F(KeptCheckpoints, AreNotReplacedByADamagedOne) {
  static_cast<void>(run(2));
  std::filesystem::resize_file(kept(0), 1000);
  static_cast<void>(run(2, 10, kept(1)));
  EXPECT_EQ(require_whole(kept(0)), 10);
  EXPECT_EQ(require_whole(kept(1)), 8);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "run/damaged-last.safetensors"));
}

TEST_F(KeptCheckpoints, OfWhichNoneIsWholeAreNoNewTraining) {
  static_cast<void>(run(2));
  flip_a_bit(0);
  std::filesystem::resize_file(kept(1), 1000);
  expect_input_error([&] { static_cast<void>(newest_whole(folder_ / "run", note_)); }, "last.safetensors",
                     "last.1.safetensors", "whole");
}

TEST_F(KeptCheckpoints, SurviveTheLossOfTheNewest) {
  static_cast<void>(run(2));
  std::filesystem::remove(kept(0));
  EXPECT_EQ(newest_whole(folder_ / "run", note_), kept(1));
  std::filesystem::rename(kept(1), kept(3));  // a training that was killed while it made way
  EXPECT_EQ(newest_whole(folder_ / "run", note_), kept(3));
}

}  // namespace
}  // namespace plume::unet

// What a continuation accepts and refuses, and what one run folder allows.
#include <gtest/gtest.h>

#include "../expect_error.hpp"
#include "small_training.hpp"
#include "unet/folder_lock.hpp"
#include "unet/train.hpp"

namespace plume::unet {
namespace {

using tests::expect_error;
using tests::expect_input_error;

class ResumeTest : public testing::Test {
 protected:
  TrainOutcome run(const std::string& name, const Config& config, const std::string& resume = {}) {
    TrainOptions options;
    options.config = config;
    options.output = folder_ / name;
    options.resume = resume.empty() ? std::filesystem::path() : folder_ / resume;
    options.quiet = true;
    return train(options);
  }
  void SetUp() override {
    config_.schedule.kind = ScheduleSettings::Kind::constant;
    static_cast<void>(run("run", config_));
  }

  tests::ScratchFolder folder_;
  std::filesystem::path shard_ = tests::small_shard(folder_);
  Config config_ = tests::small_config(shard_);
};

TEST_F(ResumeTest, OtherBatchesAreRefused) {
  Config other = config_;
  other.train.batch = 2;
  expect_input_error([&] { static_cast<void>(run("run", other, "run/last.safetensors")); }, "train.batch");
  other = config_;
  other.train.class_share = 0;
  expect_input_error([&] { static_cast<void>(run("run", other, "run/last.safetensors")); }, "train.class_share");
  other = config_;
  other.augment.noise = 0.1;
  expect_input_error([&] { static_cast<void>(run("run", other, "run/last.safetensors")); }, "augment.noise");
  other = config_;
  other.data.shuffle_window = 2;
  expect_input_error([&] { static_cast<void>(run("run", other, "run/last.safetensors")); }, "data.shuffle_window");
  other = config_;
  other.optimizer.kind = nn::OptimizerSettings::Kind::sgd;
  expect_input_error([&] { static_cast<void>(run("run", other, "run/last.safetensors")); }, "optimizer");
}

TEST_F(ResumeTest, OtherTilesAreRefused) {
  const tests::ScratchFolder elsewhere;
  Config other = config_;
  other.data.shard = tests::small_shard(elsewhere, 15).string();
  expect_input_error([&] { static_cast<void>(run("run", other, "run/last.safetensors")); }, "other data");
}

TEST_F(ResumeTest, AFinishedTrainingStaysAsItIs) {
  const std::string before = tests::read_file(folder_ / "run" / "last.safetensors");
  const std::string record = tests::read_file(folder_ / "run" / "run.json");
  const std::string configuration = tests::read_file(folder_ / "run" / "config.toml");
  Config shorter = config_;
  shorter.train.steps /= 2;
  EXPECT_EQ(run("run", config_, "run/last.safetensors").progress.step, config_.train.steps);
  const auto written = std::filesystem::last_write_time(folder_ / "run" / "run.json");
  EXPECT_EQ(run("run", shorter, "run/last.safetensors").progress.step, config_.train.steps);
  EXPECT_GT(std::filesystem::last_write_time(folder_ / "run" / "run.json"), written);  // whoever waits for it sees it
  EXPECT_EQ(tests::read_file(folder_ / "run" / "last.safetensors"), before);
  EXPECT_EQ(tests::read_file(folder_ / "run" / "run.json"), record);
  EXPECT_EQ(tests::read_file(folder_ / "run" / "config.toml"), configuration);
  EXPECT_NE(record.find("finished"), std::string::npos) << record;
  // One that was killed at the very end has no record yet.
  std::filesystem::remove(folder_ / "run" / "run.json");
  static_cast<void>(run("run", config_, "run/last.safetensors"));
  EXPECT_NE(tests::read_file(folder_ / "run" / "run.json").find("finished"), std::string::npos);
}

TEST_F(ResumeTest, ARefusedStartLeavesAllAsItWas) {
  const std::string record = tests::read_file(folder_ / "run" / "run.json");
  Config other = config_;
  other.model.base = 8;
  expect_input_error([&] { static_cast<void>(run("run", other, "run/last.safetensors")); }, "last.safetensors");
  EXPECT_EQ(tests::read_file(folder_ / "run" / "run.json"), record);
  other.data.shard = (folder_ / "nowhere.h5").string();
  expect_input_error([&] { static_cast<void>(run("new/er", other)); }, "nowhere.h5");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
}

// Of a finished training there is nothing to go on with, and so nothing that another folder could hold.
TEST_F(ResumeTest, AFinishedTrainingIsNotResumedElsewhere) {
  expect_error(
      ErrorKind::usage, [&] { static_cast<void>(run("moved", config_, "run/last.safetensors")); }, "train.steps");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "moved"));
}

TEST_F(ResumeTest, ANewFolderGetsABestOfItsOwn) {
  Config longer = config_;
  longer.train.steps = 12;
  const TrainOutcome outcome = run("moved", longer, "run/last.safetensors");
  EXPECT_EQ(outcome.progress.step, 12);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "moved" / "best.safetensors"));
}

TEST_F(ResumeTest, TwoTrainingsDoNotShareAFolder) {
  const FolderLock other(folder_ / "run");
  expect_error(
      ErrorKind::environment, [&] { static_cast<void>(run("run", config_)); }, "another training");
}

TEST_F(ResumeTest, WeightsThatAreNoLongerFiniteAreNotSaved) {
  const std::string before = tests::read_file(folder_ / "run" / "last.safetensors");
  Config wild = config_;
  wild.train.steps = 40;
  wild.schedule.lr = 1e30;
  expect_input_error([&] { static_cast<void>(run("run", wild, "run/last.safetensors")); }, "finite", "optimizer.lr");
  EXPECT_EQ(tests::read_file(folder_ / "run" / "last.safetensors"), before);
}

}  // namespace
}  // namespace plume::unet

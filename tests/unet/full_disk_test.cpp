// Where a disk is full, or a file may grow no more, each command says so in one line, ends with 4, and leaves what was
// there as it was: no half-written file, no temporary.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "data/formats/raster_read.hpp"
#include "keras_writer.hpp"
#include "program.hpp"
#include "small_training.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

// Room for a configuration and a log, not for a model or a picture.
constexpr std::uintmax_t room = 16 * 1024;

// file_size needs no rights, so that something of this is tested everywhere.
enum class Limit { full_disk, file_size };

std::string name_of(Limit limit) {
  return limit == Limit::full_disk ? "FullDisk" : "FileSizeLimit";
}
std::ostream& operator<<(std::ostream& stream, Limit limit) {
  return stream << name_of(limit);
}

class NoRoomTest : public testing::TestWithParam<Limit> {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScratchFolder;
    small_shard(*folder_);
    write_file(file("config.toml"), "[data]\nshard = '" + file("tiles.h5") + "'\n[model]\nbase = 4\ndepth = 2\n" +
                                        "[train]\nsteps = 6\nbatch = 4\ncrop = 64\nvalidate_every = 3\npictures = 0\n");
    const Outcome outcome = run_plume({"train", file("config.toml"), "--out", file("run")});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  void SetUp() override {
    fs::create_directories(disk_);
    if (GetParam() == Limit::file_size) return;
    mounted_ = ::mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=512k") == 0;
    if (!mounted_) GTEST_SKIP() << "may not mount a tmpfs (not root)";
  }
  void TearDown() override {
    if (mounted_) ::umount(disk_.c_str());
    fs::remove_all(disk_);
  }

  // Leaves no more than `room` on the disk.
  void fill() const {
    if (!mounted_) return;
    const std::string filler = disk_ + "/filler";
    std::ofstream stream(filler, std::ios::binary);
    while (stream.write(std::string(4096, 'x').data(), 4096).flush()) {
    }
    stream.close();
    fs::resize_file(filler, fs::file_size(filler) - room);
  }

  // Runs it where there is no room, and expects the one line and the exit code.
  void expect_no_room(const std::vector<std::string>& arguments, std::string_view part) const {
    Surroundings surroundings;
    if (GetParam() == Limit::file_size) surroundings.largest_file = room;
    SCOPED_TRACE(arguments.front());
    expect_failed(run_plume(arguments, surroundings), 4, {part});
  }

  static std::string file(const std::string& name) { return (*folder_ / name).string(); }

  static ScratchFolder* folder_;
  std::string disk_ = file("disk");
  bool mounted_ = false;
};

ScratchFolder* NoRoomTest::folder_ = nullptr;

TEST_P(NoRoomTest, TrainingKeepsTheOldCheckpoint) {
  const std::string run = disk_ + "/run";
  fs::remove(file("run/report.html"));  // larger than the disk
  fs::copy(file("run"), run, fs::copy_options::recursive);
  fill();
  expect_no_room({"train", file("config.toml"), "--set", "train.steps=12", "--resume", "auto", "--out", run, "--quiet"},
                 ".safetensors");
  EXPECT_EQ(names_in_run(run), (std::vector<std::string>{"best.safetensors", "config.toml", "last.1.safetensors",
                                                         "last.safetensors", "log.csv", "log.jsonl", "starts.jsonl"}));
  for (const char* name : {"/best.safetensors", "/last.safetensors"}) {
    EXPECT_TRUE(read_file(run + name) == read_file(file("run") + name)) << name << " is not as it was";
  }
  const Outcome more = run_plume({"eval", "--model", run + "/last.safetensors", "--data", file("tiles.h5")});
  EXPECT_EQ(more.exit_code, 0) << more.errors;
}

TEST_P(NoRoomTest, ANewTrainingLeavesNoCheckpoint) {
  fill();
  expect_no_room({"train", file("config.toml"), "--out", disk_ + "/run", "--quiet"}, ".safetensors");
  EXPECT_EQ(names_in_run(disk_ + "/run"),
            (std::vector<std::string>{"config.toml", "log.csv", "log.jsonl", "starts.jsonl"}));
}

TEST_P(NoRoomTest, PackLeavesNothing) {
  fs::create_directories(disk_ + "/packed");
  fill();
  expect_no_room({"data", "pack", "--tiles", file("scenes/tiles"), "--masks", file("scenes/masks"), "--split",
                  file("split.csv"), "-o", disk_ + "/packed/tiles.h5"},
                 "tiles.h5");
  EXPECT_EQ(names_in(disk_ + "/packed"), std::vector<std::string>());
}

// A picture that fits may stay; one that is there is whole.
TEST_P(NoRoomTest, PredictLeavesNoHalfPicture) {
  const auto predict = [](const std::string& output, const std::string& formats) -> std::vector<std::string> {
    const std::string tile = data::list_rasters(file("scenes/tiles")).front().string();
    return {"predict",  "--model", file("run/best.safetensors"), "--input", tile, "--output", output,
            "--format", formats};
  };
  ASSERT_EQ(run_plume(predict(file("pictures"), "tif,png,npy")).exit_code, 0);
  const std::string pictures = disk_ + "/pictures";
  fs::create_directories(pictures);
  fill();
  for (const char* format : {"npy", "png", "tif"}) {
    expect_no_room(predict(pictures, format), std::string(".") + format);
    for (const std::string& name : names_in(pictures)) {
      EXPECT_TRUE(read_file(pictures + "/" + name) == read_file(file("pictures/") + name)) << name << " is not whole";
    }
  }
  EXPECT_LE(names_in(pictures).size(), 1U);  // the mask is the only one that may fit
}

TEST_P(NoRoomTest, ImportLeavesNothing) {
  KerasModelConfig model;
  model.input(2).conv("stem", "image", 64, 3, "relu").conv("middle", "stem", 64, 3, "relu");
  model.conv("head", "middle", 1, 1, "sigmoid");
  const auto zeros = [](std::size_t count) { return std::vector<float>(count); };
  write_keras_h5(file("large.h5"), {.model_config = model.text("head"),
                                    .weights = {{"stem", "stem/kernel:0", {3, 3, 2, 64}, zeros(9 * 2 * 64)},
                                                {"stem", "stem/bias:0", {64}, zeros(64)},
                                                {"middle", "middle/kernel:0", {3, 3, 64, 64}, zeros(9 * 64 * 64)},
                                                {"middle", "middle/bias:0", {64}, zeros(64)},
                                                {"head", "head/kernel:0", {1, 1, 64, 1}, zeros(64)},
                                                {"head", "head/bias:0", {1}, zeros(1)}}});
  const auto import_to = [](const std::string& path) -> std::vector<std::string> {
    return {"import", "keras", file("large.h5"), "-o", path};
  };
  const Outcome imported = run_plume(import_to(file("imported.safetensors")));
  ASSERT_EQ(imported.exit_code, 0) << imported.errors;
  fs::create_directories(disk_ + "/models");
  fill();
  expect_no_room(import_to(disk_ + "/models/imported.safetensors"), "imported.safetensors");
  EXPECT_EQ(names_in(disk_ + "/models"), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Limits, NoRoomTest, testing::Values(Limit::full_disk, Limit::file_size),
                         [](const auto& instance) { return name_of(instance.param); });

}  // namespace
}  // namespace plume::tests

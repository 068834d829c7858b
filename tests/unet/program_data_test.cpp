// `plume data` as a user runs it: pack, verify, inspect, and a training on the shards of several processes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../scratch_folder.hpp"
#include "../spoil_label.hpp"
#include "data/formats/raster_read.hpp"
#include "program.hpp"
#include "small_training.hpp"

namespace plume::tests {
namespace {

class ProgramData : public testing::Test {
 protected:
  void SetUp() override { small_shard(folder_); }

  std::string file(const char* name) const { return folder_ / name; }

  std::vector<std::string> pack_to(const char* output, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"data",    "pack",
                                       "--tiles", file("scenes/tiles"),
                                       "--masks", file("scenes/masks"),
                                       "--split", file("split.csv"),
                                       "-o",      file(output)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  ScratchFolder folder_;
};

TEST_F(ProgramData, VerifyNamesTheDamagedTile) {
  const Outcome whole = run_plume({"data", "verify", file("tiles.h5")});
  EXPECT_EQ(whole.exit_code, 0) << whole.errors;
  EXPECT_NE(whole.output.find("10 tiles are whole"), std::string::npos) << whole.output;
  std::filesystem::copy(file("tiles.h5"), file("bad.h5"));
  spoil_label(file("bad.h5"), 6);
  const Outcome damaged = run_plume({"data", "verify", file("bad.h5"), file("tiles.h5")});
  expect_failed(damaged, 3, {"1 damaged tile"});
  const std::string name = data::Shard(file("tiles.h5")).info().name[6];
  EXPECT_NE(damaged.output.find("bad.h5: tile " + name + " (number 6) is damaged"), std::string::npos)
      << damaged.output;
  EXPECT_NE(damaged.output.find("tiles.h5: 10 tiles are whole"), std::string::npos) << damaged.output;
  expect_failed(run_plume({"data", "verify", file("none.h5")}), 3, {"none.h5"});
}

TEST_F(ProgramData, InspectSaysWhatItHolds) {
  const Outcome text = run_plume({"data", "inspect", file("tiles.h5"), "--map", file("map.png")});
  EXPECT_EQ(text.exit_code, 0) << text.errors;
  for (const char* part : {"10 tiles of 256x256, 6 bands of u8", "train", "val", "images from 10 files", "histogram"})
    EXPECT_NE(text.output.find(part), std::string::npos) << part << '\n' << text.output;
  EXPECT_GT(data::read_raster(file("map.png")).width, 128);
  const Outcome json = run_plume({"data", "inspect", file("tiles.h5"), "--json"});
  const auto report = nlohmann::json::parse(json.output);
  EXPECT_EQ(report["split"]["train"]["tiles"], 6);
  EXPECT_EQ(report["histogram"].size(), 6U);
  expect_failed(run_plume({"data", "inspect", file("split.csv")}), 3, {"split.csv", "HDF5"});
}

TEST_F(ProgramData, LabelsComeFromOnePlace) {
  expect_failed(run_plume({"data", "pack", "--tiles", file("scenes/tiles"), "-o", file("a.h5")}), 2,
                {"--masks", "--hms"});
  expect_failed(run_plume(pack_to("a.h5", {"--hms", file("scenes")})), 2, {"--masks", "--hms"});
  std::filesystem::create_directories(file("hms"));
  write_file(file("hms/hms_smoke20200101.geojson"), R"({"type":"FeatureCollection","features":[]})");
  const std::vector<std::string> hms{"data",  "pack",      "--tiles", file("scenes/tiles"),
                                     "--hms", file("hms"), "-o",      file("a.h5")};
  const auto with = [&](std::vector<std::string> more) {
    auto arguments = hms;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_plume(arguments);
  };
  expect_failed(with({}), 3, {"no time", "--time"});
  expect_failed(with({"--time", "yesterday"}), 2, {"'yesterday'", "YYYY-MM-DDTHH:MM"});
  expect_failed(with({"--time", "2020-01-03T20:00"}), 3, {"no file for the day", "2020-01-03"});
  const Outcome empty_day = with({"--time", "2020-01-01T20:00Z", "--block", "1"});
  EXPECT_EQ(empty_day.exit_code, 0) << empty_day.errors;
  EXPECT_NE(empty_day.output.find("0.00 % of the pixels hold a class"), std::string::npos) << empty_day.output;
}

TEST_F(ProgramData, TrainingOnSeveralProcessesShardsIsTrainingOnOne) {
  for (const char* process : {"0/2", "1/2"}) {
    const Outcome packed = run_plume(pack_to("part.h5", {"--process", process}));
    ASSERT_EQ(packed.exit_code, 0) << packed.errors;
  }
  const auto train = [&](const char* shard, const char* run) {
    write_file(file("config.toml"), "[data]\nshard = '" + file(shard) +
                                        "'\n[model]\nbase = 4\ndepth = 2\n[train]\nsteps = 4\nbatch = 4\ncrop = 64\n"
                                        "validate_every = 2\n");
    const Outcome outcome = run_plume({"train", file("config.toml"), "--quiet", "--out", file(run)});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    std::string log = read_file(folder_ / run / "log.jsonl");
    return log.substr(0, log.find("\"images_per_second\""));
  };
  const auto one = train("tiles.h5", "one");
  EXPECT_FALSE(one.empty());
  EXPECT_EQ(train("part-*.h5", "several"), one);
  std::filesystem::remove(file("part-00001-of-00002.h5"));
  expect_failed(run_plume({"eval", "--model", file("one/best.safetensors"), "--data", file("part-*.h5")}), 3,
                {"1 of the 2 shards"});
}

}  // namespace
}  // namespace plume::tests

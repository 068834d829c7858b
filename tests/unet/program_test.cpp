// The program `plume`, run as a user runs it: the whole way from tiles to pictures, and every mistake answered with one
// line, the right exit code, and nothing half-written.
#include "program.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "data/formats/raster_read.hpp"
#include "data/images/npy.hpp"
#include "kernels/base/philox.hpp"
#include "small_training.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/inference/model_file.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

class ProgramTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScratchFolder;
    small_shard(*folder_);
    write_file(file("config.toml"),
               "[data]\nshard = '" + file("tiles.h5") +
                   "'\n[model]\nbase = 4\ndepth = 2\n[train]\nsteps = 6\nbatch = 4\ncrop = 64\nvalidate_every = 3\n");
    const Outcome outcome = run_plume({"train", file("config.toml"), "--out", file("run")});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string file(const std::string& name) { return (*folder_ / name).string(); }
  static std::string tile() { return data::list_rasters(file("scenes/tiles")).front().string(); }

  template <class... Parts>
  static void expect_failure(int code, const std::vector<std::string>& arguments, const Parts&... parts) {
    expect_failed(run_plume(arguments), code, {parts...});
  }
  // No file in the folder but these, and no temporary.
  static void expect_files(const std::string& folder, std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names_in_run(folder), names);
  }

  static ScratchFolder* folder_;
};

ScratchFolder* ProgramTest::folder_ = nullptr;

TEST_F(ProgramTest, TrainsEvaluatesAndPredicts) {
  expect_files(file("run"), {"best.safetensors", "config.toml", "last.1.safetensors", "last.safetensors", "log.csv",
                             "log.jsonl", "run.json", "report.html", "starts.jsonl"});
  const Outcome evaluated = run_plume(
      {"eval", "--model", file("run/best.safetensors"), "--data", file("tiles.h5"), "--split", "test", "--json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.errors;
  const auto report = nlohmann::json::parse(evaluated.output);
  EXPECT_EQ(report["tiles"], 2);
  EXPECT_EQ(report["classes"].size(), 1);
  EXPECT_GE(report["iou"].get<double>(), 0);

  const Outcome predicted = run_plume({"predict", "--model", file("run/best.safetensors"), "--input", tile(),
                                       "--output", file("pictures"), "--format", "tif,png,npy"});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.errors;
  const std::string stem = fs::path(tile()).stem();
  expect_files(file("pictures"),
               {stem + "_mask.tif", stem + "_probability.tif", stem + "_overlay.png", stem + "_probability.npy"});
  const data::Raster mask = data::read_raster(file("pictures/" + stem + "_mask.tif"));
  const data::Raster image = data::read_raster(tile());
  EXPECT_EQ(mask.georeference.transform, image.georeference.transform);
  EXPECT_EQ(mask.height, image.height);
  const data::Raster probability = data::read_raster(file("pictures/" + stem + "_probability.tif"));
  EXPECT_EQ(probability.pixels, data::read_npy(file("pictures/" + stem + "_probability.npy")).values);
  for (std::size_t p = 0; p < mask.pixels.size(); ++p) {
    ASSERT_EQ(mask.pixels[p], probability.pixels[p] > 0.5F ? 255.0F : 0.0F);
  }
}

TEST_F(ProgramTest, DoctorSpeaksJson) {
  const Outcome outcome = run_plume({"doctor", "--json"});
  ASSERT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(nlohmann::json::parse(outcome.output).contains("instructions"));
}

// By what the dynamic loader says of its work, whether GDAL's library was linked or opened.
bool loads_gdal(const std::vector<std::string>& arguments) {
  const Outcome outcome = run_plume(arguments, {.environment = {"LD_DEBUG=files"}, .largest_file = {}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_NE(outcome.errors.find("libc.so"), std::string::npos) << "the loader said nothing";
  return outcome.errors.find("libgdal") != std::string::npos;
}

TEST_F(ProgramTest, OnlyImagesLoadGdal) {
  const data::Raster image = data::read_raster(tile());
  data::write_npy(file("plain.npy"), std::vector<std::int64_t>{image.height, image.width, image.bands}, image.pixels);
  const auto predict = [&](const std::string& input, const std::string& formats) -> std::vector<std::string> {
    return {"predict",  "--model", file("run/best.safetensors"), "--input", input, "--output", file("loaded"),
            "--format", formats};
  };
  EXPECT_FALSE(loads_gdal({"--version"}));
  EXPECT_FALSE(loads_gdal({"train", file("config.toml"), "--out", file("light"), "--quiet"}));
  EXPECT_FALSE(loads_gdal({"eval", "--model", file("run/best.safetensors"), "--data", file("tiles.h5")}));
  EXPECT_FALSE(loads_gdal(predict(file("plain.npy"), "png,npy")));
  EXPECT_TRUE(loads_gdal(predict(file("plain.npy"), "tif")));
  EXPECT_TRUE(loads_gdal(predict(tile(), "npy")));
  EXPECT_TRUE(loads_gdal({"doctor"}));
}

TEST_F(ProgramTest, DoctorComparesDevices) {
  const Outcome same = run_plume({"doctor", "--compare", "cpu,cpu", "--conv", "direct"});
  EXPECT_EQ(same.exit_code, 0) << same.errors;
  EXPECT_NE(same.output.find("head"), std::string::npos) << same.output;
  EXPECT_NE(same.output.find("largest relative difference 0.000e+00"), std::string::npos) << same.output;
  const Outcome winograd = run_plume({"doctor", "--compare", "cpu,cpu", "--conv", "winograd"});
  EXPECT_EQ(winograd.exit_code, 0) << winograd.errors;
  EXPECT_EQ(winograd.output.find("largest relative difference 0.000e+00"), std::string::npos) << winograd.output;
  EXPECT_EQ(run_plume({"doctor", "--compare", "cpu"}).exit_code, 2);
  EXPECT_EQ(run_plume({"doctor", "--compare", "cpu,gpu"}).exit_code, 2);
  EXPECT_EQ(run_plume({"doctor", "--compare", "cpu,cpu", "--precision", "bf16"}).exit_code, 2);
}

TEST_F(ProgramTest, EveryCommandHasHelpWithAnExample) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{{"data", "pack"},
                                                                                       {"data", "verify"},
                                                                                       {"data", "inspect"},
                                                                                       {"data", "synth"},
                                                                                       {"train"},
                                                                                       {"eval"},
                                                                                       {"predict"},
                                                                                       {"import", "keras"},
                                                                                       {"import", "torch"},
                                                                                       {"doctor"},
                                                                                       {"bench"},
                                                                                       {"quantize"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Outcome outcome = run_plume(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << command.front();
    EXPECT_NE(outcome.output.find("Example: plume " + command.front()), std::string::npos) << outcome.output;
  }
}

TEST_F(ProgramTest, UsageMistakes) {
  expect_failure(2, {});
  expect_failure(2, {"trian"}, "trian; did you mean train?");
  expect_failure(2, {"data", "pakc"}, "pakc; did you mean pack?");
  expect_failure(2, {"data"}, "subcommand");
  expect_failure(2, {"data", "xyzzy"}, "no command xyzzy (");
  expect_failure(2, {"predict", "--model", "m"}, "--input");
  expect_failure(2, {"train", file("config.toml"), "--out", file("run")}, "--resume auto");
  expect_failure(2, {"bench", "sleep"}, "sleep");
  const auto predict = [&](const std::string& option, const std::string& value, const char* part) {
    expect_failure(2,
                   {"predict", "--model", file("run/best.safetensors"), "--input", tile(), "--output", file("none"),
                    option, value},
                   part);
    EXPECT_FALSE(fs::exists(file("none")));
  };
  predict("--threshold", "nan", "nan is no number");
  predict("--threshold", "+nan", "no number");
  predict("--overlap", "inf", "inf");
  predict("--overlap", "0.3", "--blend smooth");
  predict("--threads", "100000", "1024");
  predict("--threads", "-3", "-3");
  predict("--grid", "EPSG:4326", "ABI files");
  predict("--resolution", "-1", "-1");
  predict("--simplify", "1", "geojson");
  expect_failure(2, {"train", file("config.toml"), "--find-lr-from", "1e-3"}, "--find-lr");
  expect_failure(2, {"train", file("config.toml"), "--find-lr", "--find-lr-from", "1", "--find-lr-to", "0.1"},
                 "not below");
  expect_failure(2, {"train", file("config.toml"), "--find-lr", "--memory"}, "--find-lr");
  expect_failure(2, {"train", file("config.toml"), "--memory", "--json"}, "--json");
  expect_failure(2, {"bench", "infer", "--base", "4", "--size", "40"}, "multiples of 16");
  expect_failure(
      2, {"predict", "--model", file("run/best.safetensors"), "--input", tile(), tile(), "--output", file("two")},
      "overwrite");
  expect_failure(2, {"eval", "--model", file("run/best.safetensors"), "--data", file("tiles.h5"), "--split", "tset"},
                 "tset");
}

TEST_F(ProgramTest, BenchMeasuresLoading) {
  const Outcome outcome = run_plume(
      {"bench", "load", "--data", file("tiles.h5"), "--batch", "4", "--repeats", "2", "--threads", "2", "--json"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto report = nlohmann::json::parse(outcome.output);
  for (const char* rate :
       {"tiles_per_second", "tiles_per_cpu_second", "copied_bytes_per_second", "memcpy_bytes_per_second"})
    EXPECT_GT(report.at(rate).get<double>(), 100) << rate;
  const Outcome text = run_plume({"bench", "load", "--data", file("tiles.h5"), "--repeats", "1"});
  EXPECT_NE(text.output.find("of memcpy's"), std::string::npos) << text.output;
  expect_failure(2, {"bench", "load"}, "--data");
  expect_failure(3, {"bench", "load", "--data", file("none.h5")}, "none.h5");
}

TEST_F(ProgramTest, BenchRefusesWhatItWouldPassOver) {
  const std::string shard = file("tiles.h5");
  for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{{"--size", "64"},
                                                                                      {"--base", "8"},
                                                                                      {"--bands", "3"},
                                                                                      {"--model", "m"},
                                                                                      {"--device", "cpu"},
                                                                                      {"--precision", "f32"},
                                                                                      {"--conv", "auto"},
                                                                                      {"--work", "infer"}})
    expect_failure(2, {"bench", "load", "--data", shard, option, value}, option);
  expect_failure(2, {"bench", "train", "--data", shard}, "--data");
  expect_failure(2, {"bench", "infer", "--work", "train"}, "--work");
}

TEST_F(ProgramTest, BenchMeasuresBothKindsOfWork) {
  for (const std::string work : {"train", "infer"}) {
    const Outcome outcome =
        run_plume({"bench", work, "--base", "4", "--size", "32", "--batch", "2", "--repeats", "3", "--json"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    const auto report = nlohmann::json::parse(outcome.output);
    EXPECT_EQ(report.at("repeats"), 3);
    EXPECT_GT(report.at("fastest_milliseconds").get<double>(), 0);
    EXPECT_LE(report.at("fastest_milliseconds"), report.at("milliseconds"));
    EXPECT_LE(report.at("milliseconds"), report.at("slowest_milliseconds"));
    EXPECT_GT(report.at("images_per_second").get<double>(), 0);
    EXPECT_GT(report.at("peak_mebibytes").get<double>(), 1);
  }
}

TEST_F(ProgramTest, BenchSaysWhereTheTimeGoes) {
  const auto report_of = [](const std::string& work) {
    const Outcome outcome =
        run_plume({"bench", "layers", "--work", work, "--base", "32", "--device", "cpu", "--repeats", "1", "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return nlohmann::json::parse(outcome.output);
  };
  const auto sum = [](const nlohmann::json& report, const std::string& key, const std::string& pass = "") {
    double total = 0;
    for (const auto& row : report.at("rows")) total += pass.empty() || row.at("pass") == pass ? row.value(key, 0.0) : 0;
    return total;
  };
  // The definition's operations; of a training step: no data gradient reaches the image.
  const auto train = report_of("train");
  EXPECT_NEAR(sum(train, "gflop", "forward"), 24.256, 5e-4);
  EXPECT_NEAR(sum(train, "gflop", "weight gradient"), 24.256, 5e-4);
  EXPECT_NEAR(sum(train, "gflop", "data gradient"), 48.285 - 24.256, 1e-3);
  EXPECT_NEAR(sum(train, "share"), 1, 1e-6);
  EXPECT_NEAR(sum(train, "milliseconds"), train.at("milliseconds"), 1e-3 * train.at("milliseconds").get<double>());
  for (const auto& row : train.at("rows")) {
    EXPECT_GE(row.at("milliseconds").get<double>(), 0) << row;
    EXPECT_EQ(row.contains("gflop"), !row.value("algorithm", "").empty()) << row;
  }
  EXPECT_NEAR(sum(report_of("infer"), "gflop"), 24.256, 5e-4);
  // The flat buffer, for bench/scaling_model.py; each parameter is of a layer that has a row.
  std::size_t end = 0;
  for (const auto& parameter : train.at("parameters")) {
    EXPECT_GE(parameter.at("offset"), end) << parameter;
    end = parameter.at("offset").get<std::size_t>() + parameter.at("elements").get<std::size_t>();
    const std::string name = parameter.at("name");
    const auto is_its = [&](const auto& row) { return row.at("layer") == name.substr(0, name.rfind('.')); };
    EXPECT_TRUE(std::any_of(train.at("rows").begin(), train.at("rows").end(), is_its)) << name;
  }
  EXPECT_NEAR(static_cast<double>(end), 7.77e6, 0.01e6);

  const Outcome table = run_plume({"bench", "layers", "--base", "4", "--size", "32", "--repeats", "2"});
  ASSERT_EQ(table.exit_code, 0) << table.errors;
  std::istringstream lines(table.output);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120U) << line;
  EXPECT_NE(table.output.find("\nall                   weight gradient"), std::string::npos) << table.output;
  EXPECT_NE(table.output.find("\nwhole "), std::string::npos) << table.output;
  expect_failure(2, {"bench", "layers", "--device", "cuda"}, "for the CPU");
}

TEST_F(ProgramTest, MissingAndDamagedFiles) {
  expect_failure(3, {"train", file("nowhere.toml"), "--out", file("none")}, "nowhere.toml");
  expect_failure(3, {"train", file("config.toml"), "--set", "data.shard=nowhere.h5", "--out", file("none")},
                 "nowhere.h5");
  expect_failure(3, {"eval", "--model", "nowhere.safetensors", "--data", file("tiles.h5")}, "nowhere.safetensors");
  expect_failure(3, {"import", "keras", "nowhere.h5", "-o", file("x.safetensors")}, "nowhere.h5");
  expect_failure(
      3, {"predict", "--model", file("run/best.safetensors"), "--input", "nowhere.tif", "--output", file("none")},
      "nowhere.tif");

  const std::string shard = read_file(file("tiles.h5"));
  const std::string model = read_file(file("run/last.safetensors"));
  const std::string image = read_file(tile());
  std::string noise(5000, '\0');
  Philox random(1, 2);
  for (char& byte : noise) byte = static_cast<char>(random.next());
  const auto halves = [](const std::string& whole) { return whole.substr(0, whole.size() / 2); };
  for (const std::string& bytes : {std::string(), halves(shard), noise}) {
    write_file(file("bad.h5"), bytes);
    expect_failure(3, {"eval", "--model", file("run/best.safetensors"), "--data", file("bad.h5")}, "bad.h5");
    expect_failure(3, {"import", "keras", file("bad.h5"), "-o", file("imported.safetensors")}, "bad.h5");
    EXPECT_FALSE(fs::exists(file("imported.safetensors")));
  }
  for (const std::string& bytes : {std::string(), halves(model), noise}) {
    write_file(file("bad.safetensors"), bytes);
    expect_failure(3, {"eval", "--model", file("bad.safetensors"), "--data", file("tiles.h5")}, "bad.safetensors");
    expect_failure(3, {"train", file("config.toml"), "--resume", file("bad.safetensors"), "--out", file("resumed")},
                   "bad.safetensors");
  }
  for (const std::string& bytes : {std::string(), halves(image), noise}) {
    write_file(file("bad.tif"), bytes);
    expect_failure(
        3, {"predict", "--model", file("run/best.safetensors"), "--input", file("bad.tif"), "--output", file("bad")},
        "bad.tif");
    expect_files(file("bad"), {});
  }
}

TEST_F(ProgramTest, WhatDoesNotFit) {
  unet::Network five(unet::build_graph({unet::Family::classic, 5, 1, 4, 2}));
  unet::save_model(file("five.safetensors"), five, {}, "");
  expect_failure(3, {"eval", "--model", file("five.safetensors"), "--data", file("tiles.h5")}, "6 bands", "5");
  expect_failure(3, {"predict", "--model", file("five.safetensors"), "--input", tile(), "--output", file("five")},
                 "6 bands", "--bands 1-5");
  expect_failure(3, {"train", file("config.toml"), "--set", "train.stepz=1", "--out", file("none")}, "train.stepz",
                 "train.steps");
  expect_failure(3, {"train", file("run"), "--out", file("none")}, "is a folder");
  expect_failure(3, {"train", file("absent.toml"), "--out", file("none")}, "absent.toml", "No such file");
  expect_failure(3, {"train", file("config.toml"), "--set", "model.deep_supervision=3", "--out", file("none")},
                 "model.depth");
  expect_failure(3, {"train", file("config.toml"), "--set", "model.bands=5", "--out", file("none")}, "6 bands", "5");
  std::vector<float> pixels(6 * 16 * 16, 1.0F);
  pixels[100] = std::numeric_limits<float>::infinity();
  const std::vector<std::int64_t> shape{16, 16, 6};
  data::write_npy(file("infinite.npy"), shape, pixels);
  expect_failure(
      3, {"predict", "--model", file("run/best.safetensors"), "--input", file("infinite.npy"), "--output", file("inf")},
      "infinite.npy");
}

TEST_F(ProgramTest, SignalsSaveAndAskForARequeue) {
  for (const int number : {SIGINT, SIGTERM}) {
    const std::string out = file("stopped" + std::to_string(number));
    RunningPlume plume({"train", file("config.toml"), "--set", "train.steps=100000", "--out", out}, file("errors"));
    while (!fs::exists(out + "/log.csv")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    plume.signal(number);
    EXPECT_EQ(plume.wait(), 85) << read_file(file("errors"));
    EXPECT_TRUE(fs::exists(out + "/last.safetensors"));
    const Outcome more = run_plume({"train", file("config.toml"), "--resume", "auto", "--out", out, "--json", "--set",
                                    "train.steps=" + std::to_string(100000), "--set", "train.validate_every=1", "--set",
                                    "train.patience=1", "--set", "optimizer.lr=0"});
    EXPECT_EQ(more.exit_code, 0) << more.errors;
  }
}

// At whatever moment a training is killed, what it leaves is a whole checkpoint or none.
TEST_F(ProgramTest, KilledTrainingsLeaveNoHalfCheckpoint) {
  const std::string out = file("killed");
  for (int attempt = 0; attempt < 6; ++attempt) {
    RunningPlume plume({"train", file("config.toml"), "--set", "train.steps=100000", "--set", "train.validate_every=1",
                        "--out", out, "--resume", "auto"},
                       file("errors"));
    while (!fs::exists(out + "/last.safetensors")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(47 * attempt));
    plume.signal(SIGKILL);
    EXPECT_EQ(plume.wait(), 128 + SIGKILL) << read_file(file("errors"));
    EXPECT_NO_THROW(static_cast<void>(unet::load_model(out + "/last.safetensors")));
  }
}

TEST_F(ProgramTest, AnUnknownInstructionSetIsNamed) {
  const Outcome outcome = run_plume({"doctor"}, {.environment = {"PLUME_ISA=mmx"}, .largest_file = {}});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.errors.find("mmx"), std::string::npos) << outcome.errors;
}

}  // namespace
}  // namespace plume::tests

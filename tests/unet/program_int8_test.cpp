// int8 as a user meets it: calibrate a model, measure and predict with it, and mistakes answered with one line.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "data/formats/raster_read.hpp"
#include "data/images/npy.hpp"
#include "program.hpp"
#include "small_training.hpp"

namespace plume::tests {
namespace {

class ProgramInt8Test : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScratchFolder;
    small_shard(*folder_);
    write_file(file("config.toml"), "[data]\nshard = '" + file("tiles.h5") +
                                        "'\n[model]\nbase = 8\ndepth = 2\n[train]\nsteps = 60\nbatch = 4\ncrop = 64\n"
                                        "class_share = 0.5\nvalidate_every = 30\n[optimizer]\nlr = 1e-2\n");
    const Outcome trained = run_plume({"train", file("config.toml"), "--out", file("run")});
    ASSERT_EQ(trained.exit_code, 0) << trained.errors;
    const Outcome quantized = run_plume({"quantize", "--model", file("run/best.safetensors"), "--data",
                                         file("tiles.h5"), "-o", file("int8.safetensors"), "--json"});
    ASSERT_EQ(quantized.exit_code, 0) << quantized.errors;
    EXPECT_EQ(nlohmann::json::parse(quantized.output).at("tiles"), 6);
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static std::string file(const std::string& name) { return (*folder_ / name).string(); }

  static double iou(const std::string& precision) {
    const Outcome outcome = run_plume({"eval", "--model", file("int8.safetensors"), "--data", file("tiles.h5"),
                                       "--split", "test", "--precision", precision, "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return nlohmann::json::parse(outcome.output).at("iou");
  }

  static ScratchFolder* folder_;
};

ScratchFolder* ProgramInt8Test::folder_ = nullptr;

TEST_F(ProgramInt8Test, EvaluatesAsF32Does) {
  const double expected = iou("f32");
  EXPECT_GT(expected, 0.2);
  EXPECT_NEAR(iou("int8"), expected, 0.01);
}

TEST_F(ProgramInt8Test, Predicts) {
  const auto tile = data::list_rasters(file("scenes/tiles")).front();
  std::vector<float> probability[2];
  for (const bool int8 : {false, true}) {
    const std::string output = file(int8 ? "eight" : "real");
    const Outcome outcome = run_plume({"predict", "--model", file("int8.safetensors"), "--input", tile.string(),
                                       "--output", output, "--format", "npy", "--precision", int8 ? "int8" : "f32"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
    probability[int8 ? 1 : 0] = data::read_npy(output + "/" + tile.stem().string() + "_probability.npy").values;
  }
  ASSERT_EQ(probability[0].size(), probability[1].size());
  double difference = 0;
  for (std::size_t i = 0; i < probability[0].size(); ++i) {
    difference += static_cast<double>(std::abs(probability[1][i] - probability[0][i]));
  }
  EXPECT_GT(difference, 0);
  EXPECT_LT(difference / static_cast<double>(probability[0].size()), 0.01);
}

TEST_F(ProgramInt8Test, BenchesWithAndWithoutAModel) {
  for (const std::vector<std::string>& network :
       std::vector<std::vector<std::string>>{{"--base", "8"}, {"--model", file("int8.safetensors")}}) {
    std::vector<std::string> arguments{"bench", "infer", "--precision", "int8", "--size", "32", "--repeats", "1"};
    arguments.insert(arguments.end(), network.begin(), network.end());
    const Outcome outcome = run_plume(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    EXPECT_NE(outcome.output.find("int8 by"), std::string::npos) << outcome.output;
  }
}

TEST_F(ProgramInt8Test, Mistakes) {
  const std::string plain = file("run/best.safetensors");
  expect_failed(run_plume({"eval", "--model", plain, "--data", file("tiles.h5"), "--precision", "int8"}), 3,
                {"best.safetensors", "plume quantize"});
  expect_failed(run_plume({"bench", "infer", "--model", plain, "--precision", "int8"}), 3, {"plume quantize"});
  expect_failed(run_plume({"bench", "infer", "--device", "cuda", "--precision", "int8"}), 2, {"int8", "cpu"});
  expect_failed(run_plume({"bench", "train", "--precision", "int8"}), 2, {"int8", "inference"});
  expect_failed(run_plume({"train", file("config.toml"), "--precision", "int8"}), 2, {"int8"});
  expect_failed(run_plume({"quantize", "--model", plain, "--data", "nowhere.h5", "-o", file("x.safetensors")}), 3,
                {"nowhere.h5"});
  expect_failed(run_plume({"quantize", "--model", plain, "--data", file("tiles.h5"), "--split", "tset", "-o",
                           file("x.safetensors")}),
                2, {"tset"});
  EXPECT_FALSE(std::filesystem::exists(file("x.safetensors")));
}

}  // namespace
}  // namespace plume::tests

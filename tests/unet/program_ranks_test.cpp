// A training by several ranks, started by mpiexec as a user would: it is the training of one, bit by bit the same each time,
// and whatever befalls a rank, it is named and the others end.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../relative_distance.hpp"
#include "nn/safetensors.hpp"
#include "program.hpp"
#include "ranks_training.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

class ProgramRanks : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScratchFolder;
    prepare_ranks_training(*folder_, 20, 30);
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    if (!has_mpi()) GTEST_SKIP() << "no MPI, or no mpiexec (Debian and Ubuntu: mpich, libmpich-dev)";
  }

  static std::string file(const std::string& name) { return (*folder_ / name).string(); }

  static std::vector<std::string> arguments(const std::string& run, const std::vector<std::string>& settings) {
    std::vector<std::string> all{"train", file("config.toml"), "--quiet", "--out", file(run)};
    for (const std::string& setting : settings) {
      if (!setting.starts_with("--")) all.emplace_back("--set");
      all.push_back(setting);
      if (setting == "--resume") all.emplace_back("auto");
    }
    return all;
  }

  // Trains, and gives the checkpoint's bytes.
  static std::string trained(int ranks, const std::string& run, const std::vector<std::string>& settings = {}) {
    const Outcome outcome =
        ranks == 1 ? run_plume(arguments(run, settings)) : run_ranks(ranks, arguments(run, settings));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return read_file(file(run + "/last.safetensors"));
  }

  static std::vector<double> losses(const std::string& run) {
    std::istringstream log(read_file(file(run + "/log.jsonl")));
    std::vector<double> values;
    for (std::string line; std::getline(log, line);) values.push_back(nlohmann::json::parse(line).at("loss"));
    return values;
  }

  static ScratchFolder* folder_;
};

ScratchFolder* ProgramRanks::folder_ = nullptr;

// Apart from the configuration in its metadata.
std::map<std::string, std::vector<float>> tensors_of(const std::string& path) {
  const nn::SafetensorsFile checkpoint(path);
  std::map<std::string, std::vector<float>> tensors;
  for (const auto& tensor : checkpoint.tensors()) tensors[tensor.name] = checkpoint.floats(tensor.name);
  return tensors;
}

TEST_F(ProgramRanks, AreOneTrainingWhereBatchNormalisationIsOverAll) {
  // The last for a few steps: later a rounding error turns one of the deeper network's ReLUs, of any number of ranks.
  const std::vector<std::vector<std::string>> kinds{
      {"dist.sync_batch_norm=true"},
      {"dist.sync_batch_norm=true", "train.freeze=['enc*']", "dist.bucket=0.001"},
      {"dist.sync_batch_norm=true", "train.freeze=['dec*']", "model.depth=2", "model.deep_supervision=1",
       "train.steps=5"}};
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const std::string single = fmt::format("one{}", kind);
    trained(1, single, kinds[kind]);
    const auto one = tensors_of(file(single + "/last.safetensors"));
    for (const int ranks : {2, 4}) {
      const std::string run = fmt::format("sync{}of{}", kind, ranks);
      trained(ranks, run, kinds[kind]);
      for (const auto& [name, values] : tensors_of(file(run + "/last.safetensors")))
        EXPECT_LT(relative_distance(values, one.at(name)), 1e-5) << ranks << " ranks, " << name << ", kind " << kind;
    }
  }
}

TEST_F(ProgramRanks, HaveTheLossesOfOneWithAdamW) {
  const std::vector<std::string> settings{"dist.sync_batch_norm=true", "optimizer.name=adamw", "optimizer.lr=0.003"};
  trained(1, "adam1", settings);
  const auto expected = losses("adam1");
  ASSERT_EQ(expected.size(), 20U);
  for (const int ranks : {2, 4}) {
    const std::string run = fmt::format("adam{}", ranks);
    trained(ranks, run, settings);
    const auto found = losses(run);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 1e-4) << ranks << ", step " << i + 1;
  }
}

TEST_F(ProgramRanks, RepeatTheirBitsHoweverGradientsTravel) {
  trained(3, "bits");
  const auto expected = tensors_of(file("bits/last.safetensors"));
  const std::vector<std::vector<std::string>> ways{
      {}, {"dist.timing=blocking"}, {"dist.bucket=0.001"}, {"dist.bucket=100"}, {"train.threads=2"}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const std::string run = fmt::format("bits{}", i);
    trained(3, run, ways[i]);
    EXPECT_EQ(tensors_of(file(run + "/last.safetensors")), expected) << "way " << i;
  }
}

TEST_F(ProgramRanks, LearnAlikeIn16Bits) {
  trained(2, "wire32");
  const auto expected = losses("wire32");
  for (const char* wire : {"bf16", "f16"}) {
    trained(2, wire, {fmt::format("dist.wire={}", wire)});
    EXPECT_NEAR(losses(wire).back(), expected.back(), 0.02 * expected.back()) << wire;
    EXPECT_NE(losses(wire).back(), expected.back()) << wire;
  }
}

TEST_F(ProgramRanks, GoOnAsOthersInNumber) {
  const std::vector<std::string> base{"dist.sync_batch_norm=true", "schedule.name=constant", "schedule.warmup=0"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), base.begin(), base.end());
    return more;
  };
  trained(1, "alone", with({}));
  trained(1, "changing", with({"train.steps=5"}));
  trained(2, "changing", with({"--resume", "train.steps=9"}));
  trained(4, "changing", with({"--resume", "train.steps=15"}));
  trained(1, "changing", with({"--resume"}));
  const auto expected = losses("alone");
  const auto found = losses("changing");
  ASSERT_EQ(found.size(), 20U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4) << "step " << i + 1;
}

// In pieces or whole, a checkpoint is the same; one with a damaged piece is not gone on from.
TEST_F(ProgramRanks, WriteCheckpointsInPieces) {
  const std::vector<std::string> base{"schedule.name=constant", "schedule.warmup=0", "train.validate_every=5"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), base.begin(), base.end());
    return more;
  };
  trained(3, "in_one", with({}));
  trained(3, "in_pieces", with({"train.sharded_checkpoints=true", "train.steps=10"}));
  EXPECT_EQ(names_in(file("in_pieces/pieces")), (std::vector<std::string>{"10", "5"}));
  const Outcome eval = run_plume({"eval", "--model", file("in_pieces/last.safetensors"), "--data", file("tiles.h5")});
  EXPECT_EQ(eval.exit_code, 0) << eval.errors;

  const std::string piece = file("in_pieces/pieces/10/1-of-3.safetensors");
  std::string bytes = read_file(piece);
  bytes[bytes.size() - 10] ^= 1;
  write_file(piece, bytes);
  auto arguments_loud = arguments("in_pieces", with({"--resume"}));
  arguments_loud.erase(std::find(arguments_loud.begin(), arguments_loud.end(), "--quiet"));
  const Outcome resumed = run_ranks(3, arguments_loud);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_NE(resumed.errors.find("1-of-3.safetensors"), std::string::npos) << resumed.errors;
  EXPECT_NE(resumed.errors.find("of step 5"), std::string::npos) << resumed.errors;
  EXPECT_EQ(tensors_of(file("in_pieces/last.safetensors")), tensors_of(file("in_one/last.safetensors")));
  EXPECT_EQ(names_in(file("in_pieces/pieces")), std::vector<std::string>());
}

// One is asked to stop, all do at the same step.
TEST_F(ProgramRanks, StopTogetherAndGoOn) {
  const std::vector<std::string> settings{"train.steps=1000", "train.log_every=100", "train.validate_every=1000",
                                          "dist.deadline=8"};
  trained(3, "whole", settings);
  RunningPlume training(3, arguments("parts", settings), file("parts.err"));
  const auto seen = wait_for_step(file("parts"), 3, 20);
  ASSERT_EQ(seen.size(), 3U);
  ::kill(seen[2].process, SIGUSR1);
  EXPECT_EQ(training.wait(), 85) << read_file(file("parts.err"));
  EXPECT_EQ(read_file(file("parts.err")), "");
  auto resumed = settings;
  resumed.emplace_back("--resume");
  trained(3, "parts", resumed);
  EXPECT_EQ(tensors_of(file("parts/last.safetensors")), tensors_of(file("whole/last.safetensors")));
}

TEST_F(ProgramRanks, SayWhatTheyWouldDoAndDoNothing) {
  const auto expect = [&](int ranks, std::vector<std::string> parts, const std::vector<std::string>& files) {
    const std::string run = fmt::format("dry{}", ranks);
    const auto words = arguments(run, {"--dry-run"});
    const Outcome outcome = ranks == 1 ? run_plume(words) : run_ranks(ranks, words);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    parts.insert(parts.end(),
                 {"steps: 2 an epoch, 20 in all, 0 done", file(run + "/last.safetensors") + ", every 10 steps",
                  "threads: 1", "parameters, gradients and optimiser"});
    for (const std::string& part : parts)
      EXPECT_NE(outcome.output.find(part), std::string::npos) << outcome.output << "lacks " << part;
    EXPECT_EQ(names_in(file(run)), files);
  };
  expect(1, {"one process", "a step: 8 images, 8 a rank"}, {});
  expect(3,
         {"3 ranks, started by mpiexec", "a step: 8 images, 2 or 3 a rank",
          "buckets: 1, summed while backward runs, of 0.01 MiB"},
         {"ranks"});
}

TEST_F(ProgramRanks, SayWhatIsWrongOnce) {
  const auto expect = [&](int ranks, const std::vector<std::string>& settings, int code, const std::string& part) {
    const Outcome outcome = run_ranks(ranks, arguments("wrong", settings));
    // mpiexec joins the codes of all by bits: a rank that finds another gone before it finds the error itself adds its 4.
    EXPECT_EQ(outcome.exit_code & ~4, code) << outcome.errors;
    const auto lines = plume_lines(outcome.errors);
    ASSERT_EQ(lines.size(), 1U) << outcome.errors;
    EXPECT_NE(lines.front().find(part), std::string::npos) << lines.front();
  };
  expect(3, {"train.stepz=3"}, 3, "train.steps");
  expect(3, {"data.shard=nowhere.h5"}, 3, "nowhere.h5");
  expect(3, {"dist.sync_batch_norm=true", "train.accumulate=2"}, 3, "train.accumulate");
  expect(4, {"dist.sync_batch_norm=true", "train.batch=7"}, 3, "does not go round 4 ranks");
  expect(2, {"optimizer.lr=1000", "train.explode=1e30"}, 3, "finite");
}

// What only rank 0 can find: the others are in a collective then, and must not stay there. (mpiexec kills those that are left, and
// then gives their code.)
TEST_F(ProgramRanks, EndWhereOnlyOneFindsAnError) {
  trained(2, "found");
  for (const auto& [settings, part] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"train.steps=30"}, "--resume auto"}, {{"--resume", "train.crop=8"}, "another train.crop"}}) {
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = run_ranks(3, arguments("found", settings));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    EXPECT_NE(outcome.exit_code, 0);
    EXPECT_NE(outcome.errors.find("plume: "), std::string::npos) << outcome.errors;
    EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.errors;
    EXPECT_EQ(outcome.errors.find("plume: "), outcome.errors.rfind("plume: ")) << outcome.errors;
  }
}

}  // namespace
}  // namespace plume::tests

// `plume bench train --steps` and `bench exchange`: what they print is what other programs read, so each figure is checked
// against the others.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "../spoil_label.hpp"
#include "program.hpp"
#include "small_training.hpp"

namespace plume::tests {
namespace {

using Values = std::map<std::string, std::string>;

// The words `key=value` of a text; what follows a value up to the next line belongs to it where it is the line's only one.
Values values_in(const std::string& line) {
  Values values;
  std::istringstream words(line);
  std::string last;
  for (std::string word; words >> word;) {
    const auto equal = word.find('=');
    if (equal == std::string::npos) {
      values[last] += ' ' + word;
      continue;
    }
    last = word.substr(0, equal);
    values[last] = word.substr(equal + 1);
  }
  return values;
}

struct Report {
  std::vector<Values> steps;
  Values values;  // of all
  Outcome outcome;

  [[nodiscard]] double number(const std::string& key) const { return std::stod(values.at(key)); }
};

Report report_of(const Outcome& outcome) {
  Report report;
  report.outcome = outcome;
  std::istringstream lines(outcome.output);
  for (std::string line; std::getline(lines, line);) {
    const Values values = values_in(line);
    if (values.contains("step")) {
      report.steps.push_back(values);
    } else {
      report.values.insert(values.begin(), values.end());
    }
  }
  return report;
}

class BenchRanks : public testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"bench",    "train", "--base",    "4", "--size", "32",
                                 "--device", "cpu",   "--threads", "1", "--out",  (folder_ / "out").string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] Report run(int ranks, const std::vector<std::string>& more,
                           const Surroundings& surroundings = {}) const {
    return report_of(ranks == 1 ? run_plume(arguments(more), surroundings)
                                : run_ranks(ranks, arguments(more), surroundings));
  }

  ScratchFolder folder_;
};

TEST_F(BenchRanks, ReportOneRankAlone) {
  const Report report = run(1, {"--steps", "6", "--batch", "3", "--baseline", "1000"},
                            {{"SYSTEMNAME=juwelsbooster", "SLURM_JOB_ID=42"}, std::nullopt});
  ASSERT_EQ(report.outcome.exit_code, 0) << report.outcome.errors;
  EXPECT_EQ(report.values.at("job"), "42");
  EXPECT_EQ(report.values.at("system"), "juwelsbooster");
  EXPECT_EQ(report.values.at("nodes"), "1");
  EXPECT_EQ(report.values.at("ranks"), "1");
  EXPECT_EQ(report.values.at("global_batch"), "3");
  EXPECT_EQ(report.values.at("verified"), "PASS");
  EXPECT_FALSE(report.values.contains("exposed_comm"));  // there is nobody to talk to
  ASSERT_EQ(report.steps.size(), 6U);
  double seconds = 0;
  for (const Values& step : report.steps) {
    EXPECT_EQ(step.at("images"), "3");
    EXPECT_NEAR(std::stod(step.at("img_per_s")) * std::stod(step.at("seconds")), 3, 1e-3);
    seconds += std::stod(step.at("seconds"));
  }
  EXPECT_NEAR(report.number("img_per_s"), 18 / seconds, 1e-4 * 18 / seconds);
  EXPECT_NEAR(report.number("efficiency"), report.number("img_per_s") / 1000, 1e-4 * report.number("efficiency"));
  EXPECT_NEAR(report.number("time_to_report_s") * report.number("img_per_s"), 1e6, 10);
  EXPECT_EQ(report.values.at("loss_last"), report.steps.back().at("loss"));
  EXPECT_LT(report.number("loss_last"), report.number("loss_first"));
}

TEST_F(BenchRanks, SayTheSameAsJson) {
  const Outcome outcome = run_plume(arguments({"--steps", "4", "--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto report = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(report.at("verified"), "PASS");
  EXPECT_EQ(report.at("each").size(), 4U);
  EXPECT_TRUE(report.at("efficiency").is_null());
  EXPECT_EQ(report.at("each").back().at("loss"), report.at("loss_last"));
}

// Of ignored pixels alone there is nothing to learn.
TEST_F(BenchRanks, DoNotCountWhereNothingIsLearnt) {
  const auto shard = small_shard(folder_, 5);
  const Report good = run(1, {"--steps", "30", "--batch", "3", "--data", shard});
  ASSERT_EQ(good.outcome.exit_code, 0) << good.outcome.errors;
  EXPECT_EQ(good.values.at("verified"), "PASS");
  EXPECT_GE(good.number("data_wait_s"), 0);
  for (int tile = 0; tile < 5; ++tile) {
    const std::size_t pixels = data::Shard(shard).labels(tile).size();
    overwrite_labels(shard, tile, 0, pixels, '\xFF');
  }
  const Report bad = run(1, {"--steps", "3", "--batch", "3", "--data", shard});
  EXPECT_EQ(bad.values.at("verified"), "FAIL");
  expect_failed(bad.outcome, 4, {"the loss did not fall"});
}

TEST_F(BenchRanks, RefuseWhatTheyWouldPassOver) {
  const auto refuse = [&](const std::vector<std::string>& more, const std::string& part) {
    expect_failed(run_plume(arguments(more)), 2, {part});
  };
  refuse({"--comm", "none"}, "--steps");
  refuse({"--baseline", "3"}, "--steps");
  refuse({"--data", "tiles.h5"}, "--steps");
  refuse({"--steps", "2", "--batch", "2", "--global-batch", "4"}, "--global-batch");
  refuse({"--steps", "2", "--mebibytes", "1"}, "--mebibytes");
  expect_failed(run_plume({"bench", "infer", "--steps", "2"}), 2, {"--steps"});
  expect_failed(run_plume({"bench", "exchange"}), 2, {"mpiexec"});
  expect_failed(run_plume(arguments({"--steps", "2", "--data", "none.h5"})), 3, {"none.h5"});
}

class SeveralBenchRanks : public BenchRanks {
 protected:
  void SetUp() override {
    if (!has_mpi()) GTEST_SKIP() << "no MPI, or no mpiexec (Debian and Ubuntu: mpich, libmpich-dev)";
  }
};

TEST_F(SeveralBenchRanks, ShareTheWork) {
  const Report weak = run(2, {"--batch", "2", "--steps", "5", "--baseline", "100"});
  ASSERT_EQ(weak.outcome.exit_code, 0) << weak.outcome.errors;
  EXPECT_EQ(weak.outcome.errors, "");
  EXPECT_EQ(weak.values.at("nodes"), "1");
  EXPECT_EQ(weak.values.at("ranks"), "2");
  EXPECT_EQ(weak.values.at("global_batch"), "4");
  EXPECT_EQ(weak.values.at("verified"), "PASS");
  EXPECT_EQ(weak.steps.size(), 5U);
  EXPECT_NEAR(weak.number("img_per_s_per_rank"), weak.number("img_per_s") / 2, 1e-4 * weak.number("img_per_s"));
  EXPECT_NEAR(weak.number("efficiency"), weak.number("img_per_s") / 200, 1e-4 * weak.number("efficiency"));
  EXPECT_LT(weak.number("exposed_comm"), 1);

  const Report strong = run(2, {"--global-batch", "3", "--steps", "5"});
  ASSERT_EQ(strong.outcome.exit_code, 0) << strong.outcome.errors;
  EXPECT_EQ(strong.values.at("global_batch"), "3");
  EXPECT_EQ(strong.values.at("verified"), "PASS");
  for (const Values& step : strong.steps) EXPECT_EQ(step.at("images"), "3");
  expect_failed(run_ranks(2, arguments({"--global-batch", "1", "--steps", "5"})), 2, {"2 ranks"});
}

// Blocking is the same training as overlap; without a sum of gradients each rank goes its own way.
TEST_F(SeveralBenchRanks, SumGradientsAsTheyAreTold) {
  std::map<std::string, Report> reports;
  for (const std::string comm : {"overlap", "blocking", "none"}) {
    reports[comm] = run(2, {"--steps", "5", "--comm", comm});
    ASSERT_EQ(reports[comm].outcome.exit_code, 0) << reports[comm].outcome.errors;
    EXPECT_EQ(reports[comm].values.at("comm"), comm);
  }
  EXPECT_EQ(reports["overlap"].values.at("loss_last"), reports["blocking"].values.at("loss_last"));
  EXPECT_NE(reports["overlap"].values.at("loss_last"), reports["none"].values.at("loss_last"));
  EXPECT_EQ(reports["blocking"].values.at("verified"), "PASS");
  EXPECT_EQ(reports["none"].values.at("verified"), "NONE");
  EXPECT_FALSE(reports["none"].values.contains("exposed_comm"));
}

TEST_F(SeveralBenchRanks, TrainOnShards) {
  const auto shard = small_shard(folder_, 10);
  const Report report = run(2, {"--steps", "30", "--batch", "2", "--data", shard});
  ASSERT_EQ(report.outcome.exit_code, 0) << report.outcome.errors;
  EXPECT_EQ(report.values.at("verified"), "PASS");
  std::map<std::string, int> sizes;  // six tiles, four at a time: 4, 2, 4, 2, ...
  for (const Values& step : report.steps) ++sizes[step.at("images")];
  EXPECT_EQ(sizes, (std::map<std::string, int>{{"2", 15}, {"4", 15}}));
}

TEST_F(SeveralBenchRanks, ExchangeGradients) {
  const Outcome outcome = run_ranks(2, {"bench", "exchange", "--mebibytes", "1", "--repeats", "3", "--device", "cpu",
                                        "--json", "--out", (folder_ / "out").string()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto report = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(report.at("ranks"), 2);
  EXPECT_EQ(report.at("mebibytes"), 1.0);
  ASSERT_EQ(report.at("buckets").size(), 4U);  // 1/8 to 1 MiB
  for (const auto& row : report.at("buckets")) EXPECT_GT(row.at("seconds"), 0.0);
}

}  // namespace
}  // namespace plume::tests

// plume report: what its page holds of a run.
#include "unet/report/report.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "../scratch_folder.hpp"
#include "../unet/program.hpp"
#include "../unet/small_training.hpp"
#include "unet/report/run_history.hpp"

namespace plume::tests {
namespace {

TEST(RunHistory, ThinnedRowsAreMeansThatEndWhereTheyDid) {
  const unet::Columns columns{{"step", {1, 2, 3, 4, 5}}, {"loss", {1, 3, 5, 7, 9}}};
  EXPECT_EQ(unet::thinned(columns, 10), columns);
  const unet::Columns expected{{"step", {2, 4, 5}}, {"loss", {2, 6, 9}}};
  EXPECT_EQ(unet::thinned(columns, 3), expected);
}

unet::ReportOptions of(const std::vector<std::filesystem::path>& runs) {
  unet::ReportOptions options;
  options.runs = runs;
  return options;
}

nlohmann::json data_of(const std::string& html) {
  const std::string begin = "id=\"data\">";
  const std::size_t from = html.find(begin) + begin.size();
  return nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from));
}

class ReportOfARun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new ScratchFolder;
    unet::Config config = small_config(small_shard(*folder_));
    config.train.log_every = 1;
    write_file(*folder_ / "config.toml", to_toml(config));
    const Outcome outcome = run_plume({"train", *folder_ / "config.toml", "--out", *folder_ / "run", "--quiet"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  }
  static void TearDownTestSuite() { delete folder_; }

  static inline ScratchFolder* folder_ = nullptr;
};

TEST_F(ReportOfARun, HoldsCurvesTilesAndTheRecord) {
  const unet::Report report = unet::make_report(of({*folder_ / "run"}));
  EXPECT_EQ(report.notes, std::vector<std::string>());
  const auto page = data_of(report.html);
  const auto& run = page.at("runs").at(0);
  EXPECT_EQ(run.at("log").at("step"), nlohmann::json({1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(run.at("validation").at("step"), nlohmann::json({4, 8}));
  for (const char* column : {"threshold", "precision", "recall", "false_positive_rate", "iou"})
    EXPECT_GT(run.at("evaluation").at("curve").at(column).size(), 1U) << column;
  EXPECT_FALSE(run.at("worst").empty());
  for (const auto& tile : run.at("worst"))
    EXPECT_TRUE(tile.at("scene").get<std::string>().starts_with("data:image/png;base64,iVBOR"));
  EXPECT_EQ(run.at("record").at(0).at(0), "Configuration");
  EXPECT_EQ(run.at("record").at(1).at(0), "Start");
  const auto start = nlohmann::json::parse(run.at("record").at(1).at(1).get<std::string>());
  EXPECT_NE(start.at("command").get<std::string>().find(" train "), std::string::npos);
  EXPECT_EQ(start.at("seed"), 3);
  EXPECT_GT(start.at("parameters"), 100);
}

TEST_F(ReportOfARun, SaysWhatIsMissing) {
  std::filesystem::copy(*folder_ / "run", *folder_ / "bare");
  std::filesystem::remove(*folder_ / "bare" / "best.safetensors");
  const unet::Report report = unet::make_report(of({*folder_ / "bare"}));
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("no best.safetensors, as a training without validations"), std::string::npos);
  EXPECT_FALSE(data_of(report.html).at("runs").at(0).contains("evaluation"));
}

TEST_F(ReportOfARun, ComparesConfigurations) {
  const Outcome outcome = run_plume({"train", *folder_ / "config.toml", "--set", "optimizer.lr=0.5e-3", "--out",
                                     *folder_ / "</script><b>", "--quiet"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const Outcome made = run_plume({"report", *folder_ / "run", *folder_ / "</script><b>", "-o", *folder_ / "both.html"});
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const auto page = data_of(read_file(*folder_ / "both.html"));
  EXPECT_EQ(page.at("runs").size(), 2U);
  ASSERT_EQ(page.at("differing").size(), 1U) << page.at("differing");
  EXPECT_EQ(page.at("differing")[0][0], "optimizer.lr");
}

TEST_F(ReportOfARun, RefusesWhatIsNoRun) {
  expect_failed(run_plume({"report", *folder_ / "scenes"}), 3, {"config.toml"});
  std::filesystem::copy(*folder_ / "run", *folder_ / "damaged");
  write_file(*folder_ / "damaged" / "log.jsonl", "{\"step\": 1}\n");
  expect_failed(run_plume({"report", *folder_ / "damaged"}), 3, {"log.jsonl", "line 1"});
}

}  // namespace
}  // namespace plume::tests

// Segmentation in general, as a user does it: pack, train and measure a set of five classes that is not smoke.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cell_tiles.hpp"
#include "program.hpp"
#include "scratch_folder.hpp"

namespace plume::tests {
namespace {

constexpr int train_tiles = 160;
constexpr int val_tiles = 20;
constexpr int test_tiles = 40;
constexpr int size = 125;  // what validation pads, as the network halves three times

// The least IoU of a class for who looks at a pixel's grey alone, and knows what is likeliest for each.
double least_iou_by_grey() {
  std::array<std::array<int, cell_classes>, 256> counts{};
  for (int index = 0; index < test_tiles; ++index) {
    const CellTile tile = draw_cells(2, index, size);
    for (std::size_t p = 0; p < tile.grey.size(); ++p) ++counts[tile.grey[p]][tile.mask[p]];
  }
  std::array<int, cell_classes> right{};
  std::array<int, cell_classes> found{};
  std::array<int, cell_classes> there{};
  for (const auto& of_grey : counts) {
    const auto likeliest = static_cast<std::size_t>(std::ranges::max_element(of_grey) - of_grey.begin());
    right[likeliest] += of_grey[likeliest];
    for (std::size_t c = 0; c < cell_classes; ++c) {
      found[likeliest] += of_grey[c];
      there[c] += of_grey[c];
    }
  }
  double least = 1;
  for (std::size_t c = 0; c < cell_classes; ++c)
    least = std::min(least, static_cast<double>(right[c]) / (found[c] + there[c] - right[c]));
  return least;
}

nlohmann::json report_of(const std::vector<std::string>& arguments) {
  const Outcome outcome = run_plume(arguments);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  return nlohmann::json::parse(outcome.output, nullptr, false);
}

TEST(CellsSlow, EachOfFiveClassesIsFoundWithinThreeMinutes) {
  EXPECT_LT(least_iou_by_grey(), 0.3) << "the set is too easy to show anything";
  const ScratchFolder folder;
  write_cells(folder / "", train_tiles + val_tiles + test_tiles, size, 2);
  std::string csv = "tile,split\n";
  for (int i = 0; i < train_tiles + val_tiles + test_tiles; ++i) {
    const char* split = i < test_tiles ? "test" : i < test_tiles + val_tiles ? "val" : "train";
    csv += fmt::format("cells_{:03},{}\n", i, split);
  }
  write_file(folder / "split.csv", csv);
  const std::string shard = folder / "cells.h5";
  report_of({"data", "pack", "--tiles", folder / "tiles", "--masks", folder / "masks", "--classes", "5", "--split",
             folder / "split.csv", "-o", shard, "--json"});

  const Outcome training = run_plume({"train", PLUME_SOURCE_DIR "/tests/unet/cells.toml", "--set",
                                      "data.shard=" + shard, "--out", folder / "run", "--quiet"});
  ASSERT_EQ(training.exit_code, 0) << training.errors;
  const auto record = nlohmann::json::parse(read_file(folder / "run/run.json"));
  EXPECT_LT(record.at("seconds").get<double>(), 180);

  const auto report =
      report_of({"eval", "--model", folder / "run/best.safetensors", "--data", shard, "--split", "test", "--json"});
  ASSERT_EQ(report.at("classes").size(), std::size_t{cell_classes});
  for (std::size_t c = 0; c < cell_classes; ++c)
    EXPECT_GT(report["classes"][c].at("iou").get<double>(), 0.9) << "class " << c;
}

}  // namespace
}  // namespace plume::tests

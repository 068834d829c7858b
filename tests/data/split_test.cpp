// Splits from CSV files and from spatial blocks.
#include "data/shards/split.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/csv.hpp"

namespace plume::tests {
namespace {

using data::Split;

TEST(Csv, QuotesBreaksAndEnds) {
  const auto rows = data::parse_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\nz\",2\r\n\r\n,\n3,\"\"",
      "f.csv");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(rows[1].fields, (std::vector<std::string>{"x, \"y\"\nz", "2"}));
  EXPECT_EQ(rows[2].fields, (std::vector<std::string>{"", ""}));
  EXPECT_EQ(rows[2].line, 5);
  EXPECT_EQ(rows[3].fields, (std::vector<std::string>{"3", ""}));
  expect_input_error([] { (void)data::parse_csv("a\n\"b", "f.csv"); }, "f.csv", "line 2", "never closed");
  expect_input_error([] { (void)data::parse_csv("\"a\"b", "f.csv"); }, "f.csv", "line 1");
}

class SplitCsv : public ::testing::Test {
 protected:
  std::vector<Split> read(std::string_view text) {
    write_file(folder_ / "s.csv", text);
    return data::split_from_csv(folder_ / "s.csv", names_);
  }
  void refused(std::string_view text, std::string_view reason) {
    expect_input_error([&] { (void)read(text); }, "s.csv", reason);
  }
  ScratchFolder folder_;
  std::vector<std::string> names_{"a", "b", "c"};
};

TEST_F(SplitCsv, ColumnsInAnyOrder) {
  EXPECT_EQ(read("x,split,tile\n1,val,b\n2,train,a\n3,test,c\n"), (std::vector{Split::train, Split::val, Split::test}));
}

TEST_F(SplitCsv, MistakesAreNamed) {
  refused("", "empty");
  refused("tile,part\na,train\n", "no column 'split'");
  refused("tile,split\na,train\nb,trian\n", "line 3");
  refused("tile,split\na,train\na,val\n", "listed twice");
  refused("tile,split\na\n", "too few");
  refused("tile,split\na,train\n", "tile b and 1 others");
  refused("tile,split\na,train\nb,val\nc,test\nd,test\n", "tile d, for which there is no file");
  expect_input_error([&] { (void)data::split_from_csv(folder_ / "none.csv", names_); }, "none.csv");
}

std::vector<data::PlacedTile> grid(int columns, int rows) {
  std::vector<data::PlacedTile> tiles;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column)
      tiles.push_back({std::to_string(row) + "_" + std::to_string(column),
                       10,
                       20,
                       {"", {20.0 * column, 1, 0, -10.0 * row, 0, -1}}});
  }
  return tiles;
}

std::array<int, 3> counts(const std::vector<Split>& splits) {
  std::array<int, 3> count{};
  for (const auto split : splits) ++count[static_cast<std::size_t>(split)];
  return count;
}

TEST(BlockSplit, NeighboursStayTogetherAndFractionsAreMet) {
  const auto tiles = grid(32, 16);
  const auto splits = data::split_by_blocks(tiles, {.val = 0.2, .test = 0.1, .seed = 5, .block = 4});
  std::map<std::pair<int, int>, std::set<Split>> blocks;
  for (int i = 0; i < 512; ++i) blocks[{i / 32 / 4, i % 32 / 4}].insert(splits[static_cast<std::size_t>(i)]);
  for (const auto& [block, found] : blocks) EXPECT_EQ(found.size(), 1U) << block.first << " " << block.second;
  const auto count = counts(splits);
  EXPECT_NEAR(count[1], 102, 16);
  EXPECT_NEAR(count[2], 51, 16);
}

TEST(BlockSplit, IsAFunctionOfSeedAndPlaceNotOfOrder) {
  auto tiles = grid(16, 16);
  const auto splits = data::split_by_blocks(tiles, {.seed = 1});
  EXPECT_EQ(splits, data::split_by_blocks(tiles, {.seed = 1}));
  EXPECT_NE(splits, data::split_by_blocks(tiles, {.seed = 2}));
  std::reverse(tiles.begin(), tiles.end());
  auto reversed = data::split_by_blocks(tiles, {.seed = 1});
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(splits, reversed);
}

TEST(BlockSplit, TilesWithoutPlaceGoByName) {
  std::vector<data::PlacedTile> tiles;
  for (int i = 0; i < 50; ++i) tiles.push_back({"tile" + std::to_string(i), 8, 8, {}});
  const auto count = counts(data::split_by_blocks(tiles, {.val = 0.2, .test = 0.1}));
  EXPECT_EQ(count, (std::array{35, 10, 5}));
}

TEST(BlockSplit, WrongOptionsAndTooFewBlocks) {
  const auto tiles = grid(4, 4);
  for (const auto& bad :
       {data::BlockSplit{.val = -0.1}, data::BlockSplit{.val = 0.6, .test = 0.4}, data::BlockSplit{.block = 0}})
    expect_error(ErrorKind::usage, [&] { (void)data::split_by_blocks(tiles, bad); });
  expect_input_error([&] { (void)data::split_by_blocks(tiles, {.block = 8}); }, "16 tiles", "smaller block");
  EXPECT_EQ(counts(data::split_by_blocks(tiles, {.val = 0, .test = 0, .block = 8}))[0], 16);
}

TEST(SplitNames, RoundTrip) {
  for (const auto split : {Split::train, Split::val, Split::test})
    EXPECT_EQ(data::split_from_name(data::name_of(split)), split);
  expect_error(
      ErrorKind::usage, [] { (void)data::split_from_name("dev"); }, "dev");
}

}  // namespace
}  // namespace plume::tests

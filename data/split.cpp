// Splits read from a CSV, and splits dealt out by blocks of neighbouring tiles.
#include "data/split.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "data/csv.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/fnv1a.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data {
namespace {

constexpr std::uint32_t block_purpose = 0x626C6F63;  // "bloc": keeps these draws apart from other uses of the seed

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || std::filesystem::is_directory(path) || !(text << file.rdbuf()))
    throw input_error("cannot read the split {}: no such file, empty or no permission", path.string());
  return text.str();
}

std::size_t column(const CsvRow& header, std::string_view name, const std::filesystem::path& path) {
  const auto found = std::find(header.fields.begin(), header.fields.end(), name);
  if (found == header.fields.end())
    throw input_error("{} has no column '{}'; its first line must name the columns tile and split", path.string(),
                      name);
  return static_cast<std::size_t>(found - header.fields.begin());
}

std::map<std::string, Split> listed_splits(const std::filesystem::path& path) {
  const auto rows = parse_csv(read_text(path), path);
  if (rows.empty()) throw input_error("{} is empty; it must list tile and split", path.string());
  const auto tile = column(rows[0], "tile", path);
  const auto split = column(rows[0], "split", path);
  std::map<std::string, Split> listed;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& [line, fields] = rows[i];
    if (fields.size() <= std::max(tile, split))
      throw input_error("{}, line {}: {} fields, too few for tile and split", path.string(), line, fields.size());
    Split parsed{};
    try {
      parsed = split_from_name(fields[split]);
    } catch (const Error& error) {
      throw input_error("{}, line {}: {}", path.string(), line, error.what());
    }
    if (!listed.emplace(fields[tile], parsed).second)
      throw input_error("{}, line {}: tile {} is listed twice", path.string(), line, fields[tile]);
  }
  return listed;
}

// A block's place in the deal: a hash of its key, then of the seed (Philox).
std::uint64_t block_hash(std::uint64_t seed, std::string_view key) {
  const auto hash = fnv1a(key);
  Philox draw(seed, block_purpose, static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(hash));
  const std::uint64_t high = draw.next();
  return high << 32 | draw.next();
}

// Width and height on the ground of the first georeferenced tile by name; zeros where there is none.
std::array<double, 2> tile_extent(std::span<const PlacedTile> tiles) {
  const PlacedTile* first = nullptr;
  for (const auto& tile : tiles) {
    if (tile.georeference.present() && (first == nullptr || tile.name < first->name)) first = &tile;
  }
  if (first == nullptr) return {};
  const auto& t = first->georeference.transform;
  return {std::abs(t[1] * first->width) + std::abs(t[2] * first->height),
          std::abs(t[4] * first->width) + std::abs(t[5] * first->height)};
}

std::string block_key(const PlacedTile& tile, std::array<double, 2> extent, int block) {
  if (!tile.georeference.present() || extent[0] <= 0 || extent[1] <= 0) return "name " + tile.name;
  const auto& t = tile.georeference.transform;
  const double x = t[0] + t[1] * tile.width / 2 + t[2] * tile.height / 2;
  const double y = t[3] + t[4] * tile.width / 2 + t[5] * tile.height / 2;
  return fmt::format("block {:.0f} {:.0f}", std::floor(x / (extent[0] * block)), std::floor(y / (extent[1] * block)));
}

// Takes the next block where that brings the split closer to its target, and always the first one.
bool takes(std::size_t holds, std::size_t target, std::size_t block) {
  if (target == 0) return false;
  if (holds == 0) return true;
  if (holds + block <= target) return true;
  return holds < target && holds + block - target <= target - holds;
}

void check(const BlockSplit& options) {
  if (!(options.val >= 0) || !(options.test >= 0) || !(options.val + options.test < 1))
    throw usage_error("val {} and test {} must not be negative and must leave some tiles to train on", options.val,
                      options.test);
  if (options.block < 1) throw usage_error("a block of {} tiles: it takes at least 1", options.block);
}

std::size_t target_of(double fraction, std::size_t tiles) {
  if (fraction == 0) return 0;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(fraction * static_cast<double>(tiles))));
}

}  // namespace

std::string_view name_of(Split split) {
  constexpr std::array<std::string_view, 3> names{"train", "val", "test"};
  return names.at(static_cast<std::size_t>(split));
}

Split split_from_name(std::string_view name) {
  if (name == "train") return Split::train;
  if (name == "val" || name == "validation" || name == "valid") return Split::val;
  if (name == "test") return Split::test;
  throw usage_error("'{}' is no split; it is train, val or test", name);
}

std::vector<Split> split_from_csv(const std::filesystem::path& path, std::span<const std::string> names) {
  auto listed = listed_splits(path);
  std::vector<Split> splits;
  std::string unlisted;
  int unlisted_count = 0;
  for (const auto& name : names) {
    const auto found = listed.find(name);
    if (found == listed.end()) {
      if (unlisted_count++ == 0) unlisted = name;
      continue;
    }
    splits.push_back(found->second);
    listed.erase(found);
  }
  if (unlisted_count > 0)
    throw input_error("{} does not list tile {}{}; add it or take the file away", path.string(), unlisted,
                      unlisted_count > 1 ? fmt::format(" and {} others", unlisted_count - 1) : "");
  if (!listed.empty())
    throw input_error("{} lists tile {}{}, for which there is no file", path.string(), listed.begin()->first,
                      listed.size() > 1 ? fmt::format(" and {} others", listed.size() - 1) : "");
  return splits;
}

std::vector<Split> split_by_blocks(std::span<const PlacedTile> tiles, const BlockSplit& options) {
  check(options);
  const auto extent = tile_extent(tiles);
  std::map<std::string, std::vector<std::size_t>> blocks;
  for (std::size_t i = 0; i < tiles.size(); ++i) blocks[block_key(tiles[i], extent, options.block)].push_back(i);
  std::vector<std::tuple<std::uint64_t, std::string_view>> order;
  for (const auto& [key, members] : blocks) order.emplace_back(block_hash(options.seed, key), key);
  std::sort(order.begin(), order.end());

  const std::array<std::size_t, 3> target{0, target_of(options.val, tiles.size()),
                                          target_of(options.test, tiles.size())};
  std::array<std::size_t, 3> holds{};
  std::vector<Split> splits(tiles.size());
  for (const auto& [hash, key] : order) {
    const auto& members = blocks.find(std::string(key))->second;
    auto split = Split::train;
    if (takes(holds[1], target[1], members.size())) {
      split = Split::val;
    } else if (takes(holds[2], target[2], members.size())) {
      split = Split::test;
    }
    holds[static_cast<std::size_t>(split)] += members.size();
    for (const auto member : members) splits[member] = split;
  }
  if (holds[0] == 0 || (target[1] > 0 && holds[1] == 0) || (target[2] > 0 && holds[2] == 0))
    throw input_error(
        "the {} tiles fall into {} blocks of {}x{} tiles, too few to share out; use a smaller block or a CSV",
        tiles.size(), blocks.size(), options.block, options.block);
  return splits;
}

}  // namespace plume::data

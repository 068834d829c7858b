// A source of labelled tiles to one shard (shard.hpp), or to one a process.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/sources/tile_source.hpp"
#include "kernels/base/dtype.hpp"

namespace plume::data {

// Of `count` processes that share a source's tiles, the `index`-th from 0: it packs a shard of its own, of the tiles
// [index * N / count, (index + 1) * N / count).
struct PackShare {
  int index = 0;
  int count = 1;
};

// "2/4", or "auto": from SLURM_PROCID and SLURM_NTASKS, else PMI_RANK and PMI_SIZE (mpiexec), else all of it.
// Throws usage_error for anything else.
[[nodiscard]] PackShare parse_share(std::string_view text);

// Where that process's shard goes: output itself, or tiles-00002-of-00004.h5 for tiles.h5.
[[nodiscard]] std::filesystem::path shard_path(const std::filesystem::path& output, PackShare share);

struct ValueRange {
  float least = 0;
  float most = 0;
};

struct PackOptions {
  std::filesystem::path split_csv;  // empty: by spatial blocks (split.hpp) with the four values below
  double val = 0.2;
  double test = 0.1;
  std::uint64_t seed = 0;
  int block = 4;                   // edge of a spatial block, in tile widths
  std::filesystem::path output;    // the shard; replaced only by a complete one
  std::optional<DType> store;      // u8 or u16: floats are scaled and rounded; none: as the source has them
  std::vector<ValueRange> ranges;  // for store, one a band or one for all: values beyond are cut off; empty: as found
  int threads = 2;                 // readers; the result's bytes do not depend on it
  PackShare share;
  int part_tiles =
      0;  // tiles that are lost at most where a thread is killed; 0: a twelfth, from 4 to 32, at most 16 MiB
};

struct PackReport {
  std::filesystem::path output;
  int tiles = 0;
  TileShape shape;
  int classes = 1;
  std::array<int, 3> split{};           // tiles in train, val, test
  std::array<int, 3> positive_tiles{};  // of these, tiles with any label from 1 up
  double positive_fraction = 0;         // such pixels among all that are not ignored
  std::int64_t ignored_pixels = 0;
  std::vector<std::string> unmeasured;  // images or scenes without a pixel that is measured in all bands, sorted
  std::vector<float> mean;              // [bands], training split
  std::vector<float> std;
  int kept_tiles = 0;      // taken over from a packing that was broken off
  int replaced_tiles = 0;  // packed again, as those of a packing broken off were damaged or of other arguments or files
};

// Called after each tile, from any thread but one call at a time. An exception from it ends the packing: pack()
// throws it once the tiles being read are done, and the callback is not called again.
using PackProgress = std::function<void(int done, int total)>;

// Packs in sorted-name order; the same input gives the same bytes, however often it was broken off on the way. Tiles
// are written to parts (pack_parts.hpp) in a folder beside the output, then put together, which takes twice the shard's
// room; whole parts stay behind where packing ends early, by an error too, and the next one goes on from them.
// Memory: a tile a thread, what the source holds, and the tables. How tiles are split depends on all of the source, whatever the share; the
// mean and deviation are of the share's own training tiles, and of all where several shards are opened (Shard).
// Throws, leaving no shard:
//   input_error       whatever the source and split.hpp throw; no measured pixel in the training split; fewer tiles
//                     than processes
//   usage_error       ranges that fit no band count; a scaled store without ranges for one share of several
//   environment_error the output cannot be written: no folder, no permission, disk full; another process packs it
PackReport pack(const TileSource& source, const PackOptions& options, const PackProgress& progress = {});

}  // namespace plume::data

// Epochs of shuffled batches; then tiles copied one by one, from the mapping and from memory in turn.
#include "unet/commands/bench_load.hpp"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "data/loading/loader.hpp"
#include "data/loading/permutation.hpp"
#include "kernels/base/error.hpp"
#include "kernels/cpu/pages.hpp"
#include "unet/commands/median.hpp"

namespace plume::unet {
namespace {

// Of all threads, in the program and in the system on its behalf.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct LoadRate {
  double tiles_per_second = 0;
  double tiles_per_cpu_second = 0;
};

LoadRate measure_batches(const data::Shard& shard, const BenchLoadSettings& settings) {
  data::Loader loader(shard, {.batch = settings.batch, .seed = 1}, shard.info().mean, shard.info().std,
                      settings.threads, 2 * settings.threads);
  const auto run_epoch = [&] {
    std::int64_t images = 0;
    for (std::int64_t step = 0; step < loader.steps_per_epoch(); ++step) {
      auto batch = loader.next();
      images += batch.images;
      loader.recycle(std::move(batch));
    }
    return images;
  };
  run_epoch();
  const double cpu = cpu_seconds();
  const double wall = wall_seconds();
  std::int64_t images = 0;
  for (int epoch = 0; epoch < settings.epochs; ++epoch) images += run_epoch();
  return {static_cast<double>(images) / (wall_seconds() - wall), static_cast<double>(images) / (cpu_seconds() - cpu)};
}

// On large pages and aligned, as memcpy likes it best.
struct Free {
  void operator()(std::byte* block) const { std::free(block); }
};
using Block = std::unique_ptr<std::byte, Free>;

Block allocate(std::size_t bytes) {
  Block block(static_cast<std::byte*>(kernels::allocate_pages(bytes)));
  if (!block) throw environment_error("no memory for {} bytes of tiles; take a smaller shard", bytes);
  return block;
}

// In bytes per second, each the median of its epochs.
struct CopyRate {
  double raw = 0;     // Shard::read_raw
  double memcpy = 0;  // between two blocks of memory
};

CopyRate measure_copies(const data::Shard& shard, int epochs) {
  constexpr std::size_t most_bytes = std::size_t{1} << 30U;  // beyond any cache is enough
  const data::Window whole{0, 0, shard.info().height, shard.info().width};
  const std::size_t bytes = shard.image(0).size();
  const auto tiles = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(most_bytes / bytes, 1, static_cast<std::size_t>(shard.info().tiles)));
  const Block memory = allocate(tiles * bytes);
  for (std::uint32_t tile = 0; tile < tiles; ++tile)
    std::memcpy(memory.get() + tile * bytes, shard.image(static_cast<int>(tile)).data(), bytes);
  const Block copy = allocate(bytes);
  const auto rate = [&](int epoch, auto copy_tile) {
    const data::Permutation order(1, 0, static_cast<std::uint64_t>(epoch), tiles);
    const double start = wall_seconds();
    for (std::uint32_t place = 0; place < tiles; ++place) copy_tile(order(place));
    return static_cast<double>(tiles * bytes) / (wall_seconds() - start);
  };
  std::vector<double> raw;
  std::vector<double> plain;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    raw.push_back(rate(epoch, [&](auto tile) { shard.read_raw(static_cast<int>(tile), whole, copy.get()); }));
    plain.push_back(rate(epoch, [&](auto tile) { std::memcpy(copy.get(), memory.get() + tile * bytes, bytes); }));
  }
  return {median(raw), median(plain)};
}

}  // namespace

int bench_load(const BenchLoadSettings& settings) {
  const data::Shard shard(settings.shard);
  const LoadRate load = measure_batches(shard, settings);
  const CopyRate copies = measure_copies(shard, settings.epochs);
  if (settings.json) {
    const nlohmann::ordered_json report{{"work", "load"},
                                        {"batch", settings.batch},
                                        {"threads", settings.threads},
                                        {"tiles_per_second", load.tiles_per_second},
                                        {"tiles_per_cpu_second", load.tiles_per_cpu_second},
                                        {"copied_bytes_per_second", copies.raw},
                                        {"memcpy_bytes_per_second", copies.memcpy}};
    fmt::print("{}\n", report.dump());
    return 0;
  }
  fmt::print(
      "batches of {}: {:.0f} tiles/s, {:.0f} per second of CPU time; tiles are copied at {:.1f} GB/s, {:.0f} % of "
      "memcpy's {:.1f}\n",
      settings.batch, load.tiles_per_second, load.tiles_per_cpu_second, copies.raw * 1e-9,
      100 * copies.raw / copies.memcpy, copies.memcpy * 1e-9);
  return 0;
}

}  // namespace plume::unet

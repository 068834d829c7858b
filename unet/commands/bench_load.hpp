// How fast batches come from a shard that the system's memory holds, without a network that takes them.
#pragma once

#include <string>

namespace plume::unet {

struct BenchLoadSettings {
  std::string shard;  // as Shard takes it
  int batch = 8;
  int epochs = 10;  // that count, after one that does not
  int threads = 1;  // of the loader
  bool json = false;
};

// Prints tiles per second and per second of CPU time (of all threads), and the rate at which tiles are copied out of
// the mapping beside memcpy's for the same bytes in the same order; the exit code. Throws as Shard and Loader.
int bench_load(const BenchLoadSettings& settings);

}  // namespace plume::unet

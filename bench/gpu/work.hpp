// What the GPU benchmarks measure; the command line changes the sizes.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

namespace plume::bench {

struct Work {
  int edge = 256;  // of square images
  int batch = 16;
  int bands = 6;
  std::vector<int> bases{64, 32, 16};  // widths of the classic U-Net's first level
  bool quick = false;                  // everything once or twice: to try the program
};

// Adds a benchmark that times its iterations itself, so many of them.
benchmark::internal::Benchmark* add_benchmark(const std::string& name, int iterations,
                                              const std::function<void(benchmark::State&)>& body);

// Training steps, inference and latency of whole networks.
void register_steps(const Work& work);
// The operations of the widest network, one by one.
void register_layers(const Work& work);

}  // namespace plume::bench

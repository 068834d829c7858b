// What the GPU benchmarks measure; the command line changes the sizes.
#pragma once

#include <vector>

namespace plume::bench {

struct Work {
  int edge = 256;  // of square images
  int batch = 16;
  int bands = 6;
  std::vector<int> bases{64, 32, 16};  // widths of the classic U-Net's first level
  bool quick = false;                  // everything once or twice: to try the program
};

// Training steps, inference and latency of whole networks.
void register_steps(const Work& work);
// The operations of the widest network, one by one.
void register_layers(const Work& work);

}  // namespace plume::bench

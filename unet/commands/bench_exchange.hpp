// How fast gradients are summed over the ranks that were launched, with nothing beside it.
#pragma once

#include "dist/communicator.hpp"
#include "unet/inference/device.hpp"

namespace plume::unet {

struct BenchExchangeSettings {
  double mebibytes = 32;  // of gradients
  int repeats = 10;       // that count, after a warm-up
  int threads = 0;        // of a rank on the CPU; 0: OMP_NUM_THREADS or all cores
  DeviceSettings device;
  bool json = false;
};

// Prints, on the first rank, seconds of a sum over all ranks for buckets of several sizes (GradientExchange): what the model of
// scale (bench/scaling_model.py) takes for the rates of links. The exit code; throws usage_error where there is one rank alone.
int bench_exchange(const BenchExchangeSettings& settings, dist::Communicator* communicator);

}  // namespace plume::unet

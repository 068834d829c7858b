// Where the time of a training step or an inference goes, layer by layer, on the CPU.
#pragma once

#include "unet/commands/bench_work.hpp"

namespace plume::unet {

// Prints a table of at most 120 columns, heaviest rows first, or JSON with all rows; the exit code.
// Throws usage_error on CUDA, where a profiler's timeline has the layers' names.
int bench_layers(BenchSettings settings, bool json);

}  // namespace plume::unet

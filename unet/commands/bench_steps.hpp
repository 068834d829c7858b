// Training steps one after another, by one rank or by all that were launched: a line for each, and what they amount to.
#pragma once

#include <string>

#include "dist/buckets.hpp"
#include "dist/communicator.hpp"
#include "unet/commands/bench_work.hpp"

namespace plume::unet {

struct BenchStepsSettings {
  int steps = 10;                             // that count, after a warm-up
  int global_batch = 0;                       // over all ranks; 0: BenchSettings::batch on each
  dist::Timing comm = dist::Timing::overlap;  // when gradients are summed
  double baseline = 0;                        // images per second of one rank alone; 0: not known
  std::string shard;                          // whose crops of BenchSettings::size are trained on; empty: noise
  bool json = false;
};

// Prints, on the first rank, `key=value` lines: of each step, and in the end of all (docs/reference.md says which), or one JSON
// object. What of a step's time is exposed communication is measured by as many steps without any, afterwards.
// communicator: null for one process alone. Returns the exit code; throws usage_error where a rank has no share of the batch,
// input_error as Shard and where model and tiles do not fit, environment_error after the report where it is not verified.
int bench_steps(const BenchSettings& settings, const BenchStepsSettings& how, dist::Communicator* communicator);

}  // namespace plume::unet

// The training loop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "dist/communicator.hpp"
#include "unet/checkpoint.hpp"
#include "unet/config.hpp"

namespace plume::unet {

// Rank 0 writes and speaks. A run's folder holds config.toml (every key), log.csv, log.jsonl, best.safetensors (weights of the best
// validation), last.safetensors (weights and all that a continuation needs) and, when it has ended well, run.json (run_record.hpp).
struct TrainOptions {
  Config config;
  std::filesystem::path output;
  std::filesystem::path resume;  // a last.safetensors; empty: from the start
  bool quiet = false;
  dist::Communicator* communicator = nullptr;         // of the ranks that train together; null: this process is alone
  std::function<void(std::int64_t step)> after_step;  // called after every optimiser step, where set
};

struct TrainOutcome {
  Progress progress;
  double last_loss = 0;
  double seconds = 0;
  bool stopped = false;  // by a signal; the training can be resumed
};

// Throws input_error for data and checkpoints that do not fit, environment_error for what cannot be written. SIGINT,
// SIGTERM and SIGUSR1, on any rank, finish the step, save and return with stopped = true on all.
[[nodiscard]] TrainOutcome train(const TrainOptions& options);

// What train() would do, and each rank of it, as text for people: everything is made ready, nothing is written. All ranks call
// it; rank 0's is the text. Throws as train().
[[nodiscard]] std::string describe_training(const TrainOptions& options);

// The activations and gradients of one training step, from a dry run: a table of the largest entries at the peak, then
// what parameters, their gradients and the optimiser add.
[[nodiscard]] std::string describe_memory(const Config& config);

}  // namespace plume::unet

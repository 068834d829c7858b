// Models written to disk: one safetensors file with the weights, the layer graph (inference/model_file.hpp) and, for a
// training that is to go on, the optimiser's state and how far it had come. Metadata keys: "plume.graph" (JSON,
// inference/graph.hpp), "plume.version", "plume.training" (JSON), "plume.config" (TOML), "plume.crc32c" (of all
// tensors' bytes, in hex: checked where a file is read).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include "nn/optimizer.hpp"
#include "nn/safetensors.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/ranges.hpp"

namespace plume::unet {

// How far a training has come; everything that its continuation depends on besides weights and optimiser state. Random
// draws are keyed by these counters, so there is no generator state to keep.
struct Progress {
  std::int64_t step = 0;   // optimiser steps done
  std::int64_t epoch = 0;  // of the next batch
  std::int64_t batch = 0;  // within the epoch, of the next one
  std::uint64_t seed = 0;
  double best_iou = -1;  // over validations so far; -1 before the first
  std::int64_t best_step = 0;
  int validations_since_best = 0;
  int reductions = 0;                   // of the learning rate, on plateaus
  int validations_since_reduction = 0;  // or since a better one
  double first_loss = 0;                // what an exploding one is measured by; 0 before the first step
  std::int64_t skipped = 0;             // steps whose gradients were not finite
  std::string instruction_set;          // and what else last bits depend on: inference/device.hpp's arithmetic()
  std::uint64_t tiles = 0;              // a hash of the training tiles' names
};

// Before the names of an optimiser's tensors.
inline constexpr const char* optimizer_prefix = "optimizer.";

// What every checkpoint says of itself.
[[nodiscard]] nn::Metadata metadata_of(const Network& network, const Progress& progress, std::int64_t optimizer_steps,
                                       const std::string& config);

// As checkpoints keep it, with the optimiser's own count of steps. The second throws input_error for text that is
// damaged.
[[nodiscard]] std::string progress_text(const Progress& progress, std::int64_t optimizer_steps);
[[nodiscard]] std::pair<Progress, std::int64_t> progress_from_text(const std::string& text);

// A model for use: weights and graph. Written whole or not at all. Throws environment_error.
void save_model(const std::filesystem::path& path, const Network& network, const Progress& progress,
                const std::string& config);

// The same and the optimiser's state, for --resume. before: as nn::save_safetensors has it.
void save_training(const std::filesystem::path& path, const Network& network, const nn::Optimizer& optimizer,
                   const Progress& progress, const std::string& config, const std::function<void()>& before = {});

// The steps of a training's checkpoint whose every byte is as it was written. Throws input_error for another file, or a
// damaged one.
[[nodiscard]] std::int64_t require_whole(const std::filesystem::path& path);

// A copy of the model in a file, for use, with the ranges to quantise it by.
void save_with_ranges(const std::filesystem::path& path, const std::filesystem::path& model, const Ranges& ranges);

struct Resumed {
  Progress progress;
  std::string config;
};

// Restores weights, optimiser and progress into a network of the same graph. Throws input_error.
[[nodiscard]] Resumed load_training(const std::filesystem::path& path, Network& network, nn::Optimizer& optimizer);

}  // namespace plume::unet

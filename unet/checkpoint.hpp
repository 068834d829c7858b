// Models on disk: one safetensors file with the weights (PyTorch's layouts), the layer graph and, for a training that is to go
// on, the optimiser's state and how far it had come. Metadata keys: "plume.graph" (JSON, unet/graph.hpp),
// "plume.version", "plume.training" (JSON), "plume.config" (TOML), "plume.crc32c" (of all tensors' bytes, in hex: checked where a
// file is read). A model calibrated for int8 has the ranges of its values too: f32
// tensors "<layer>.range" [channels, 3] (unet/ranges.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "nn/optimizer.hpp"
#include "nn/safetensors.hpp"
#include "unet/device.hpp"
#include "unet/network.hpp"
#include "unet/ranges.hpp"

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
  std::string instruction_set;  // and what else last bits depend on: device.hpp's arithmetic()
  std::uint64_t tiles = 0;      // a hash of the training tiles' names
};

// Before the names of an optimiser's tensors.
inline constexpr const char* optimizer_prefix = "optimizer.";

// What every checkpoint says of itself.
[[nodiscard]] nn::Metadata metadata_of(const Network& network, const Progress& progress, std::int64_t optimizer_steps,
                                       const std::string& config);

// As checkpoints keep it, with the optimiser's own count of steps. The second throws input_error for text that is damaged.
[[nodiscard]] std::string progress_text(const Progress& progress, std::int64_t optimizer_steps);
[[nodiscard]] std::pair<Progress, std::int64_t> progress_from_text(const std::string& text);

// A model for use: weights and graph. Written whole or not at all. Throws environment_error.
void save_model(const std::filesystem::path& path, const Network& network, const Progress& progress,
                const std::string& config);

// The same and the optimiser's state, for --resume. before: as nn::save_safetensors has it.
void save_training(const std::filesystem::path& path, const Network& network, const nn::Optimizer& optimizer,
                   const Progress& progress, const std::string& config, const std::function<void()>& before = {});

// The steps of a training's checkpoint whose every byte is as it was written. Throws input_error for another file, or a damaged
// one.
[[nodiscard]] std::int64_t require_whole(const std::filesystem::path& path);

// On the stream, or the CPU (unet/network.hpp); without gradients it is for inference only. Throws input_error naming the file and what is missing or damaged.
[[nodiscard]] Network load_model(const std::filesystem::path& path, DType dtype = DType::f32,
                                 kernels::Stream* stream = nullptr, nn::Gradients gradients = nn::Gradients::no);

// A copy of the model in a file, for use, with the ranges to quantise it by.
void save_with_ranges(const std::filesystem::path& path, const std::filesystem::path& model, const Ranges& ranges);

// The ranges in a model. Throws input_error where it has none, or one is damaged.
[[nodiscard]] Ranges load_ranges(const std::filesystem::path& path);

// They where the precision is int8; none otherwise.
[[nodiscard]] std::optional<Ranges> ranges_for(const std::filesystem::path& path, Precision precision);

struct Resumed {
  Progress progress;
  std::string config;
};

// Restores weights, optimiser and progress into a network of the same graph. Throws input_error.
[[nodiscard]] Resumed load_training(const std::filesystem::path& path, Network& network, nn::Optimizer& optimizer);

}  // namespace plume::unet

// Models on disk, read for use: a safetensors file with the weights (PyTorch's layouts) and the layer graph as JSON in
// its metadata under "plume.graph". A model calibrated for int8 has the ranges of its values too: f32 tensors
// "<layer>.range" [channels, 3] (ranges.hpp). What else a checkpoint holds (unet/checkpoint.hpp) is passed over.
#pragma once

#include <filesystem>
#include <optional>

#include "unet/inference/checkpoint_file.hpp"
#include "unet/inference/device.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/ranges.hpp"

namespace plume::unet {

// Of a tensor of ranges, behind the layer's name.
inline constexpr const char* range_suffix = ".range";
inline constexpr std::int64_t range_values = 3;
static_assert(sizeof(Range) == range_values * sizeof(float));

// On the stream, or the CPU (network.hpp); without gradients it is for inference only. Throws input_error naming the
// file and what is missing or damaged.
[[nodiscard]] Network load_model(const std::filesystem::path& path, DType dtype = DType::f32,
                                 kernels::Stream* stream = nullptr, nn::Gradients gradients = nn::Gradients::no);

// The ranges in a model. Throws input_error where it has none, or one is damaged.
[[nodiscard]] Ranges load_ranges(const std::filesystem::path& path);

// They where the precision is int8; none otherwise.
[[nodiscard]] std::optional<Ranges> ranges_for(const std::filesystem::path& path, Precision precision);

// Of an open file: its graph, and its weights into a network of that graph. Throw input_error as load_model does.
[[nodiscard]] Graph graph_of(const CheckpointFile& file);
void load_weights(const CheckpointFile& file, Network& network);

}  // namespace plume::unet

// Reads the parameters of a known graph from a safetensors file: PyTorch's state_dict, or one of our own checkpoints.
#pragma once

#include <filesystem>
#include <vector>

#include "nn/named_tensor.hpp"
#include "unet/inference/graph.hpp"

namespace plume::unet {

// The file's tensors must have the names and shapes of parameter_shapes(graph), floating point of 16, 32 or 64 bits; of
// a classic U-Net the names may be those of milesial/Pytorch-UNet (milesial.hpp) instead. PyTorch's
// "<layer>.num_batches_tracked" counters are passed over. Throws input_error, one line with the file's name and every
// missing, surplus or misshapen tensor (the first few).
[[nodiscard]] std::vector<nn::NamedTensor> read_torch_safetensors(const std::filesystem::path& path,
                                                                  const Graph& graph);

// The graph that such a file in milesial's names tells of by itself. Throws usage_error where its names are others, as
// they do not say how layers are wired.
[[nodiscard]] Graph graph_of_torch_safetensors(const std::filesystem::path& path);

}  // namespace plume::unet

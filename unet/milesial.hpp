// The U-Net of https://github.com/milesial/Pytorch-UNet: its parameters' names, and what they say of the network.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nn/safetensors.hpp"
#include "unet/families.hpp"

namespace plume::unet {

// The network that a file of such names holds the weights of, up-sampling transposed or aligned; none where its names
// are others. Throws input_error naming what an incomplete file lacks.
[[nodiscard]] std::optional<ModelSettings> milesial_settings(const nn::SafetensorsFile& file);

// What a parameter of our classic U-Net of this depth, as "enc1.conv2.weight", is called there:
// "down1.maxpool_conv.1.double_conv.3.weight".
[[nodiscard]] std::string milesial_name(std::string_view parameter, int depth);

}  // namespace plume::unet

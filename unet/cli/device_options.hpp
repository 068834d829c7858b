// The options that choose a device, for commands that have no configuration file.
#pragma once

#include <CLI/CLI.hpp>

#include "unet/inference/device.hpp"

namespace plume::unet {

// --device, --precision and --conv, for commands that predict; without the first and int8, for others that run a network.
void add_device_options(CLI::App& command, DeviceSettings& settings);
void add_arithmetic_options(CLI::App& command, DeviceSettings& settings);

}  // namespace plume::unet

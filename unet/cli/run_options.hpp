// Options of how a network is run, for commands that have no configuration file.
#pragma once

#include <CLI/CLI.hpp>

#include "unet/inference/device.hpp"

namespace plume::unet {

// --device, --precision and --conv, for commands that predict; without the first and int8, for others that run a
// network.
void add_device_options(CLI::App& command, DeviceSettings& settings);
void add_arithmetic_options(CLI::App& command, DeviceSettings& settings);

// --tile, of commands that predict: the largest edge of the tiles that large images are cut into.
void add_tile_option(CLI::App& command, int& edge);

// --simplify, of commands that write polygons: how far they may be from the pixels' edges.
void add_simplify_option(CLI::App& command, double& tolerance);

}  // namespace plume::unet

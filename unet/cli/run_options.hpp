// Options of how a network is run, for commands that have no configuration file.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

#include "unet/inference/device.hpp"
#include "unet/inference/orientation.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {

// --device, --precision and --conv, for commands that predict; without the first and int8, for others that run a
// network.
void add_device_options(CLI::App& command, DeviceSettings& settings);
void add_arithmetic_options(CLI::App& command, DeviceSettings& settings);

// --threads, of the CPU.
void add_threads_option(CLI::App& command, int& threads);

// --tile, of commands that predict: the largest edge of the tiles that large images are cut into.
void add_tile_option(CLI::App& command, int& edge);

// --blend and --overlap, of commands that predict: how tiles are put together.
void add_blend_options(CLI::App& command, TileSettings& tiles);

// --tta, of commands that predict: the orientations that are averaged.
void add_test_time_option(CLI::App& command, TestTime& test_time);

// --simplify, of commands that write polygons: how far they may be from the pixels' edges.
void add_simplify_option(CLI::App& command, double& tolerance);

// --min-area: of how many pixels regions are at least.
void add_least_area_option(CLI::App& command, std::int64_t& least_area);

}  // namespace plume::unet

// How scenes of ABI files are read, for the commands that take them.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "data/abi/scene_reader.hpp"

namespace plume::unet {

// --scaling, --resampling, --max-sun-zenith, --divide-by-sun, in a group of their own. The channels are not heeded.
std::vector<CLI::Option*> add_scene_options(CLI::App& command, data::abi::SceneOptions& options);

}  // namespace plume::unet

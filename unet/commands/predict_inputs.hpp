// What `plume predict` predicts on: images, and scenes of a satellite's files.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/abi/scene_reader.hpp"
#include "data/images/image_rows.hpp"

namespace plume::unet {

struct InputOptions {
  std::vector<std::string> inputs;  // files, and folders of them
  std::string bands;                // parse_bands
  // For scenes alone:
  std::string grid = "satellite";  // or a projection, as EPSG:4326
  double resolution = 0;           // in the projection's units; 0: as the satellite sees
  data::abi::SceneOptions scene;   // its channels are not heeded: bands says them
};

// --input, --bands, and how scenes are brought onto a grid.
void add_input_options(CLI::App& command, InputOptions& options);

struct Input {
  std::string name;  // for people
  std::string stem;  // of the results' file names
  std::function<std::unique_ptr<data::ImageRows>()> open;
};

// All of them, by the files' names; scenes are checked for the bands that a model of `model_bands` is given.
// Throws usage_error where two would have results of one name, and where --bands does not say which channels the model
// takes; input_error where there is nothing, and as find_scenes and require_bands do.
[[nodiscard]] std::vector<Input> find_inputs(const InputOptions& options, int model_bands);

}  // namespace plume::unet

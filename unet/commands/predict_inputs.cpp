// Tells satellites' files from images, and makes scenes of the former.
#include "unet/commands/predict_inputs.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "data/abi/scene.hpp"
#include "data/abi/scene_rows.hpp"
#include "data/formats/raster_read.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/scene_options.hpp"

namespace plume::unet {
namespace {

namespace fs = std::filesystem;
namespace abi = data::abi;
using data::geo::Resampling;

struct Files {
  std::vector<fs::path> images;
  std::vector<fs::path> bands;  // of scenes
};

// Files as named; folders as the bands in them (passing over products without channels, as fire masks), or where there
// is no ABI file as the images.
Files files_of(const std::vector<std::string>& inputs) {
  Files files;
  for (const fs::path input : inputs) {
    if (!fs::is_directory(input)) {
      (input.extension() == ".nc" ? files.bands : files.images).push_back(input);
    } else if (const auto found = abi::list_abi_files(input); !found.empty()) {
      const auto bands = abi::bands_among(found);
      files.bands.insert(files.bands.end(), bands.begin(), bands.end());
    } else {
      const auto images = data::list_rasters(input);
      files.images.insert(files.images.end(), images.begin(), images.end());
    }
  }
  return files;
}

// A model of six bands is one of C01..C06, as all that were published are; of any other it must be said.
std::vector<int> channels_of(const std::vector<int>& bands, int model_bands) {
  std::vector<int> channels(bands.size());
  std::transform(bands.begin(), bands.end(), channels.begin(), [](int band) { return band + 1; });
  if (channels.empty() && model_bands == abi::reflective_channels) {
    channels.resize(abi::reflective_channels);
    std::iota(channels.begin(), channels.end(), 1);
  }
  if (static_cast<int>(channels.size()) != model_bands) {
    throw usage_error("the model takes {} bands: say which of the satellite's channels they are, e.g. --bands 1,3,5,6",
                      model_bands);
  }
  if (*std::max_element(channels.begin(), channels.end()) > abi::channels)
    throw usage_error("ABI has channels 1 to {}", abi::channels);
  return channels;
}

// Small images are read at once, since an overlay looks at all of it before.
std::unique_ptr<data::ImageRows> with_small_ones_read(std::unique_ptr<data::ImageRows> image) {
  constexpr std::int64_t small = std::int64_t{1} << 26;  // values
  const auto [height, width, bands] = image->shape();
  if (std::int64_t{height} * width * bands > small) return image;
  data::Raster raster = image->read(0, height);
  raster.georeference = image->georeference();
  return std::make_unique<data::WholeImage>(std::move(raster));
}

std::unique_ptr<data::ImageRows> open_scene(const abi::Scene& scene, const InputOptions& options,
                                            const std::vector<int>& channels) {
  abi::SceneOptions scene_options = options.scene;
  scene_options.channels = channels;
  abi::SceneReader reader(scene, scene_options);
  const auto grid = options.grid == "satellite"
                        ? data::geo::grid_of(reader.image(), options.resolution)
                        : data::geo::grid_around(reader.image(), options.grid, options.resolution);
  return std::make_unique<abi::SceneRows>(std::move(reader), grid);
}

}  // namespace

void add_input_options(CLI::App& command, InputOptions& options) {
  command.add_option("--input", options.inputs, "Images or ABI files (.nc), or folders of them")->required();
  command.add_option("--bands", options.bands, "Bands to take, counted from 1, e.g. 1-6; of ABI files: channels");
  const auto scenes = [&](CLI::Option* option) { option->group("For ABI files"); };
  scenes(command.add_option("--grid", options.grid, "'satellite', its own projection, or another, e.g. EPSG:4326")
             ->capture_default_str());
  scenes(command.add_option("--resolution", options.resolution, "In the projection's units; 0: as the satellite sees")
             ->capture_default_str()
             ->check(CLI::NonNegativeNumber));
  add_scene_options(command, options.scene);
}

std::vector<Input> find_inputs(const InputOptions& options, int model_bands) {
  const auto bands = data::parse_bands(options.bands);
  const Files files = files_of(options.inputs);
  std::vector<Input> found;
  for (const fs::path& path : files.images)
    found.push_back({path.string(), path.stem().string(),
                     [path, bands] { return with_small_ones_read(data::open_raster(path, bands)); }});
  if (!files.bands.empty()) {
    const auto channels = channels_of(bands, model_bands);
    const auto scenes = abi::find_scenes(files.bands);
    abi::require_bands(scenes, channels);
    for (const abi::Scene& scene : scenes)
      found.push_back(
          {scene.stem(), scene.stem(), [=] { return with_small_ones_read(open_scene(scene, options, channels)); }});
  }
  if (files.bands.empty() && (options.grid != InputOptions().grid || options.resolution != 0))
    throw usage_error("--grid and --resolution are for ABI files (.nc), and no input is one; leave them out");
  if (found.empty()) throw input_error("no input holds an image or a band of a scene");
  std::set<std::string> stems;
  for (const Input& input : found) {
    if (!stems.insert(input.stem).second)
      throw usage_error("two inputs are named {}: their results would overwrite each other", input.stem);
  }
  return found;
}

}  // namespace plume::unet

// plume data pack | show | synth
#include <fmt/core.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "data/pack.hpp"
#include "data/raster.hpp"
#include "data/synthetic.hpp"
#include "kernels/base/error.hpp"
#include "unet/command.hpp"
#include "unet/commands/data_show.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

struct PackArguments {
  data::PackOptions options;
  std::string bands;
  int ignore_value = -1;
  bool json = false;
};

nlohmann::ordered_json to_json(const data::PackReport& report) {
  return {{"tiles", report.tiles},
          {"height", report.height},
          {"width", report.width},
          {"bands", report.bands},
          {"classes", report.classes},
          {"split", report.split},
          {"positive_tiles", report.positive_tiles},
          {"positive_fraction", report.positive_fraction},
          {"ignored_pixels", report.ignored_pixels},
          {"mean", report.mean},
          {"std", report.std}};
}

// Also where a signal ends the work, with nothing half-written.
data::PackProgress progress_on_terminal() {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return [terminal](int done, int total) {
    if (StopSignal::requested())
      throw environment_error("stopped by a signal after {} of {} tiles; no file is half-written", done, total);
    if (terminal) fmt::print(stderr, "\r{}/{} tiles{}", done, total, done == total ? "\r\033[K" : "");
  };
}

int run_pack(PackArguments& arguments) {
  arguments.options.bands = data::parse_bands(arguments.bands);
  if (arguments.ignore_value >= 0) arguments.options.ignore_value = arguments.ignore_value;
  const StopSignal signals;
  const data::PackReport report = data::pack(arguments.options, progress_on_terminal());
  if (arguments.json) {
    fmt::print("{}\n", to_json(report).dump(2));
    return 0;
  }
  fmt::print("{}: {} tiles of {}x{}, {} bands: {} train, {} val, {} test\n", arguments.options.output.string(),
             report.tiles, report.height, report.width, report.bands, report.split[0], report.split[1],
             report.split[2]);
  fmt::print("{:.2f} % of the pixels hold a class, in {} + {} + {} tiles\n", 100 * report.positive_fraction,
             report.positive_tiles[0], report.positive_tiles[1], report.positive_tiles[2]);
  return 0;
}

void add_pack(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<PackArguments>();
  data::PackOptions& options = arguments->options;
  CLI::App* app = data_app.add_subcommand("pack", "Packs tiles and masks into one HDF5 shard for training");
  app->add_option("--tiles", options.tiles, "Folder of tiles: GeoTIFF, PNG, JPEG or .npy")->required();
  app->add_option("--masks", options.masks, "Folder of masks; a mask belongs to the tile of the same name")->required();
  app->add_option("-o,--output", options.output, "The shard to write")->required();
  app->add_option("--split", options.split_csv, "CSV with columns tile and split (train, val, test)");
  app->add_option("--val", options.val, "Share for validation, by spatial blocks")->capture_default_str();
  app->add_option("--test", options.test, "Share for testing, by spatial blocks")->capture_default_str();
  app->add_option("--seed", options.seed, "Seed of the spatial blocks' draw")->capture_default_str();
  app->add_option("--block", options.block, "Edge of a spatial block, in tile widths")->capture_default_str();
  app->add_option("--bands", arguments->bands, "Bands to take, counted from 1, e.g. 1-6 or 1,2,5");
  app->add_option("--classes", options.classes, "Classes of the masks; 1 is yes or no")->capture_default_str();
  app->add_option("--mask-values", options.mask_values, "Mask values: the first means class 0, the next 1, ...")
      ->delimiter(',');
  app->add_option("--ignore-value", arguments->ignore_value, "Mask value of pixels that count in nothing");
  app->add_option("--threads", options.threads, "Files read at a time")->capture_default_str();
  app->add_flag("--json", arguments->json, "Report as JSON");
  app->footer("Example: plume data pack --tiles goes/tiles --masks goes/masks --split goes/split.csv -o tiles.h5");
  app->callback([arguments, &action] { action = [arguments] { return run_pack(*arguments); }; });
}

struct SynthArguments {
  std::string output;
  int tiles = 48;
  std::uint64_t seed = 1;
};

void add_synth(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<SynthArguments>();
  CLI::App* app = data_app.add_subcommand("synth", "Draws GOES-like scenes with smoke, and their masks");
  app->add_option("-o,--output", arguments->output, "Folder for tiles/ and masks/")->required();
  app->add_option("--tiles", arguments->tiles, "How many")->capture_default_str()->check(CLI::Range(1, 100000));
  app->add_option("--seed", arguments->seed, "Another seed, other scenes")->capture_default_str();
  app->footer("Example: plume data synth --tiles 48 --seed 1 -o scenes");
  app->callback([arguments, &action] {
    action = [arguments] {
      const StopSignal signals;
      data::write_scenes(arguments->output, arguments->tiles, arguments->seed, progress_on_terminal());
      fmt::print("{}: {} scenes in tiles/, their smoke in masks/\n", arguments->output, arguments->tiles);
      return 0;
    };
  });
}

}  // namespace

void add_data_commands(CLI::App& app, Action& action) {
  CLI::App* data_app = app.add_subcommand("data", "Prepares data: pack, show, synth");
  data_app->require_subcommand(1);
  add_pack(*data_app, action);
  add_data_show(*data_app, action);
  add_synth(*data_app, action);
}

}  // namespace plume::unet

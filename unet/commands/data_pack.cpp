// plume data pack
#include <fmt/core.h>

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "data/folder_source.hpp"
#include "data/pack.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  data::FolderOptions folders;
  data::PackOptions options;
  std::string bands;
  std::string store;
  std::vector<std::string> ranges;
  std::string process = "0/1";
  int ignore_value = -1;
  bool json = false;
};

nlohmann::ordered_json to_json(const data::PackReport& report) {
  return {{"shard", report.output.string()},
          {"tiles", report.tiles},
          {"height", report.shape.height},
          {"width", report.shape.width},
          {"bands", report.shape.bands},
          {"classes", report.classes},
          {"split", report.split},
          {"positive_tiles", report.positive_tiles},
          {"positive_fraction", report.positive_fraction},
          {"ignored_pixels", report.ignored_pixels},
          {"mean", report.mean},
          {"std", report.std},
          {"kept_tiles", report.kept_tiles},
          {"replaced_tiles", report.replaced_tiles}};
}

// "LEAST:MOST".
data::ValueRange parse_range(const std::string& text) {
  data::ValueRange range;
  const char* const end = text.data() + text.size();
  const auto [colon, bad_least] = std::from_chars(text.data(), end, range.least);
  if (bad_least == std::errc{} && colon != end && *colon == ':') {
    const auto [rest, bad_most] = std::from_chars(colon + 1, end, range.most);
    if (bad_most == std::errc{} && rest == end && range.least < range.most) return range;
  }
  throw usage_error("--range '{}' is no LEAST:MOST, as in 0:1.2", text);
}

void complete(Arguments& arguments) {
  auto& options = arguments.options;
  arguments.folders.bands = data::parse_bands(arguments.bands);
  if (arguments.ignore_value >= 0) arguments.folders.rule.ignore = arguments.ignore_value;
  if (!arguments.store.empty()) options.store = arguments.store == "u8" ? DType::u8 : DType::u16;
  for (const auto& range : arguments.ranges) options.ranges.push_back(parse_range(range));
  options.share = data::parse_share(arguments.process);
}

void print(const data::PackReport& report) {
  if (report.kept_tiles > 0) fmt::print("{} tiles were there from a packing that was broken off\n", report.kept_tiles);
  if (report.replaced_tiles > 0)
    fmt::print(
        "{} tiles of a packing that was broken off were damaged or made by other options or from other files, "
        "and are packed anew\n",
        report.replaced_tiles);
  fmt::print("{}: {} tiles of {}x{}, {} bands: {} train, {} val, {} test\n", report.output.string(), report.tiles,
             report.shape.height, report.shape.width, report.shape.bands, report.split[0], report.split[1],
             report.split[2]);
  fmt::print("{:.2f} % of the pixels hold a class, in {} + {} + {} tiles\n", 100 * report.positive_fraction,
             report.positive_tiles[0], report.positive_tiles[1], report.positive_tiles[2]);
}

int run(Arguments& arguments) {
  complete(arguments);
  const StopSignal signals;
  const data::FolderSource source(arguments.folders);
  const auto report =
      data::pack(source, arguments.options, progress_on_terminal("the same command goes on from there"));
  if (arguments.json) {
    fmt::print("{}\n", to_json(report).dump(2));
  } else {
    print(report);
  }
  return 0;
}

}  // namespace

void add_pack_command(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  auto& folders = arguments->folders;
  auto& options = arguments->options;
  CLI::App* app = data_app.add_subcommand("pack", "Packs tiles and masks into one HDF5 shard for training");
  app->add_option("--tiles", folders.tiles, "Folder of tiles: GeoTIFF, PNG, JPEG or .npy")->required();
  app->add_option("--masks", folders.masks, "Folder of masks; a mask belongs to the tile of the same name")->required();
  app->add_option("-o,--output", options.output, "The shard to write")->required();
  app->add_option("--split", options.split_csv, "CSV with columns tile and split (train, val, test)");
  app->add_option("--val", options.val, "Share for validation, by spatial blocks")->capture_default_str();
  app->add_option("--test", options.test, "Share for testing, by spatial blocks")->capture_default_str();
  app->add_option("--seed", options.seed, "Seed of the spatial blocks' draw")->capture_default_str();
  app->add_option("--block", options.block, "Edge of a spatial block, in tile widths")->capture_default_str();
  app->add_option("--bands", arguments->bands, "Bands to take, counted from 1, e.g. 1-6 or 1,2,5");
  app->add_option("--classes", folders.rule.classes, "Classes of the masks; 1 is yes or no")->capture_default_str();
  app->add_option("--mask-values", folders.rule.mask_values, "Mask values: the first means class 0, the next 1, ...")
      ->delimiter(',');
  app->add_option("--ignore-value", arguments->ignore_value, "Mask value of pixels that count in nothing");
  app->add_option("--store", arguments->store, "Store floats as whole numbers with a scale and offset a band")
      ->check(CLI::IsMember({"u8", "u16"}));
  app->add_option("--range", arguments->ranges,
                  "For --store: LEAST:MOST of all bands, or one a band; default: as found")
      ->delimiter(',');
  app->add_option("--process", arguments->process,
                  "Pack the i-th of n shards, i/n from 0/n; auto: as SLURM or mpiexec says")
      ->capture_default_str();
  app->add_option("--threads", options.threads, "Files read at a time")->capture_default_str();
  app->add_flag("--json", arguments->json, "Report as JSON");
  app->footer("Example: plume data pack --tiles goes/tiles --masks goes/masks --split goes/split.csv -o tiles.h5");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet

// plume data pack
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/abi/scene_source.hpp"
#include "data/hms/smoke_folder.hpp"
#include "data/shards/pack.hpp"
#include "data/sources/folder_source.hpp"
#include "data/sources/mask_folder.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"
#include "unet/commands/scene_options.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string tiles;
  std::string abi;
  data::abi::SceneOptions scene;
  data::abi::TilePlan plan;
  std::string masks;
  data::LabelRule rule;
  data::SmokeFolderOptions hms;
  std::string smoke = "binary";
  std::string least = "light";
  std::string time;
  int within = 0;
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
          {"unmeasured", report.unmeasured},
          {"mean", report.mean},
          {"std", report.std},
          {"kept_tiles", report.kept_tiles},
          {"replaced_tiles", report.replaced_tiles}};
}

data::UtcTime parse_time(const std::string& text) {
  const auto time = data::parse_iso_time(text);
  if (!time) throw usage_error("--time '{}' is no time YYYY-MM-DDTHH:MM", text);
  return *time;
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

std::unique_ptr<data::TileLabels> labels_of(Arguments& arguments) {
  if (arguments.ignore_value >= 0) arguments.rule.ignore = arguments.ignore_value;
  if (!arguments.masks.empty()) return std::make_unique<data::MaskFolder>(arguments.masks, arguments.rule);
  auto& rule = arguments.hms.rule;
  if (arguments.smoke == "levels") rule.labels = data::SmokeLabels::levels;
  if (arguments.smoke == "soft") rule.labels = data::SmokeLabels::soft;
  rule.least = *data::smoke_density_from_text(arguments.least);
  if (!arguments.time.empty()) arguments.hms.time = parse_time(arguments.time);
  arguments.hms.within = std::chrono::minutes(arguments.within);
  return std::make_unique<data::SmokeFolder>(arguments.hms);
}

std::unique_ptr<data::TileSource> source_of(Arguments& arguments) {
  auto bands = data::parse_bands(arguments.bands);
  if (!arguments.tiles.empty())
    return std::make_unique<data::FolderSource>(arguments.tiles, std::move(bands), labels_of(arguments));
  if (arguments.hms.folder.empty())
    throw usage_error("--abi takes its labels from --hms: a mask has no place in a satellite's file");
  auto& channels = arguments.scene.channels;
  if (bands.empty()) bands = {0, 1, 2, 3, 4, 5};
  for (const int band : bands) channels.push_back(band + 1);
  return std::make_unique<data::abi::SceneSource>(arguments.abi, arguments.scene, arguments.plan, labels_of(arguments));
}

void complete(Arguments& arguments) {
  auto& options = arguments.options;
  if (!arguments.store.empty()) options.store = arguments.store == "u8" ? DType::u8 : DType::u16;
  for (const auto& range : arguments.ranges) options.ranges.push_back(parse_range(range));
  options.share = data::parse_share(arguments.process);
}

// Their tiles are in the shard, and count in nothing.
void name_unmeasured(const std::vector<std::string>& images) {
  constexpr std::size_t most_named = 5;
  if (images.empty()) return;
  const auto named = std::min(images.size(), most_named);
  fmt::print(stderr, "ignored: {}{}: no pixel is measured in all bands where the sun is high enough\n",
             fmt::join(images.begin(), images.begin() + static_cast<std::ptrdiff_t>(named), ", "),
             named < images.size() ? fmt::format(" and {} more", images.size() - named) : "");
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
  const auto source = source_of(arguments);
  const auto report =
      data::pack(*source, arguments.options, progress_on_terminal("the same command goes on from there"));
  name_unmeasured(report.unmeasured);
  if (arguments.json) {
    fmt::print("{}\n", to_json(report).dump(2));
  } else {
    print(report);
  }
  return 0;
}

// How scenes are cut into tiles; with --tiles they say nothing.
void add_tiling_options(CLI::App& app, CLI::Option& tiles, Arguments& arguments) {
  using data::abi::Tiling;
  auto& plan = arguments.plan;
  const auto of_scenes = [&](CLI::Option* option) {
    return option->group("For ABI files")->excludes(&tiles)->capture_default_str();
  };
  of_scenes(app.add_option_function<std::string>(
                "--tiling",
                [&plan](const std::string& name) { plan.tiling = name == "web" ? Tiling::web : Tiling::satellite; },
                "Web-mercator tiles in degrees, or squares of the satellite's own pixels"))
      ->default_str("web")
      ->check(CLI::IsMember({"web", "satellite"}));
  of_scenes(app.add_option("--zoom", plan.zoom, "Of web tiles"))->check(CLI::Range(0, 20));
  of_scenes(app.add_option("--size", plan.size, "Pixels of a tile's edge"))->check(CLI::Range(1, 8192));
  of_scenes(app.add_option("--least-share", plan.least_share, "Of a web tile that the scene must show"))
      ->check(CLI::Range(0.0, 1.0));
  for (CLI::Option* option : add_scene_options(app, arguments.scene)) option->excludes(&tiles);
}

}  // namespace

void add_pack_command(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  auto& hms = arguments->hms;
  auto& options = arguments->options;
  CLI::App* app = data_app.add_subcommand("pack", "Packs tiles and masks into one HDF5 shard for training");
  auto* images = app->add_option_group("images", "What is packed: --tiles or --abi");
  auto* const tiles = images->add_option("--tiles", arguments->tiles, "Folder of tiles: GeoTIFF, PNG, JPEG or .npy");
  images->add_option("--abi", arguments->abi, "Folder of ABI files (OR_ABI-L1b-Rad...nc), cut into tiles")
      ->excludes(tiles);
  images->require_option(1);
  auto* labels = app->add_option_group("labels", "Where labels come from: --masks or --hms");
  labels->add_option("--masks", arguments->masks, "Folder of masks; a mask belongs to the tile of the same name");
  labels->add_option("--hms", hms.folder, "Folder of NOAA's smoke polygons, hms_smokeYYYYMMDD.shp, .kml or .geojson");
  labels->require_option(1);
  app->add_option("-o,--output", options.output, "The shard to write")->required();
  app->add_option("--split", options.split_csv, "CSV with columns tile and split (train, val, test)");
  app->add_option("--val", options.val, "Share for validation, by spatial blocks")->capture_default_str();
  app->add_option("--test", options.test, "Share for testing, by spatial blocks")->capture_default_str();
  app->add_option("--seed", options.seed, "Seed of the spatial blocks' draw")->capture_default_str();
  app->add_option("--block", options.block, "Edge of a spatial block, in tile widths")->capture_default_str();
  app->add_option("--bands", arguments->bands,
                  "Bands to take, counted from 1, e.g. 1-6 or 1,2,5; of --abi: channels, 1-6 by default");
  app->add_option("--classes", arguments->rule.classes, "Classes of the masks; 1 is yes or no")->capture_default_str();
  app->add_option("--mask-values", arguments->rule.mask_values, "Mask values: the first means class 0, the next 1, ...")
      ->delimiter(',');
  app->add_option("--ignore-value", arguments->ignore_value, "Mask value of pixels that count in nothing");
  app->add_option("--smoke", arguments->smoke, "For --hms: yes or no, levels (0 to 3), or soft (levels with targets)")
      ->capture_default_str()
      ->check(CLI::IsMember({"binary", "levels", "soft"}));
  app->add_option("--least", arguments->least, "For --hms, binary: the lightest smoke that counts")
      ->capture_default_str()
      ->check(CLI::IsMember({"light", "medium", "heavy"}));
  app->add_option("--time", arguments->time,
                  "For --hms: YYYY-MM-DDTHH:MM in UTC of all tiles; default: from their names");
  app->add_option("--within", arguments->within, "For --hms: minutes before and after in which smoke counts")
      ->capture_default_str()
      ->check(CLI::Range(0, 24 * 60));
  add_tiling_options(*app, *tiles, *arguments);
  app->add_option("--store", arguments->store, "Store floats as whole numbers with a scale and offset a band")
      ->check(CLI::IsMember({"u8", "u16"}));
  app->add_option("--range", arguments->ranges,
                  "For --store: LEAST:MOST of all bands, or one a band; default: as found")
      ->delimiter(',');
  app->add_option("--process", arguments->process,
                  "Pack the i-th of n shards, i/n from 0/n; auto: as SLURM or mpiexec says")
      ->capture_default_str();
  app->add_option("--threads", options.threads, "Files read at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  app->add_flag("--json", arguments->json, "Report as JSON");
  app->footer("Example: plume data pack --tiles goes/tiles --masks goes/masks --split goes/split.csv -o tiles.h5");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet

// plume data inspect
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "data/shards/inspect.hpp"
#include "data/shards/shard_map.hpp"
#include "unet/commands/data_commands.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string file;
  std::string map;
  bool json = false;
};

nlohmann::ordered_json to_json(const data::Shard& shard, const data::ShardSummary& summary) {
  const auto& info = shard.info();
  nlohmann::ordered_json json{{"shard", shard.path().string()},
                              {"creator", info.creator},
                              {"tiles", info.tiles},
                              {"height", info.height},
                              {"width", info.width},
                              {"bands", info.bands},
                              {"classes", info.classes},
                              {"type", name_of(info.dtype)},
                              {"mean", info.mean},
                              {"std", info.std}};
  for (std::size_t split = 0; split < summary.split.size(); ++split) {
    const auto& of = summary.split[split];
    json["split"][std::string(data::name_of(static_cast<data::Split>(split)))] = {{"tiles", of.tiles},
                                                                                  {"positive_tiles", of.positive_tiles},
                                                                                  {"pixels", of.pixels},
                                                                                  {"ignored", of.ignored},
                                                                                  {"class_share", of.class_share}};
  }
  for (const auto& band : summary.band)
    json["histogram"].push_back({{"least", band.least}, {"most", band.most}, {"count", band.count}});
  json["image_sources"] = summary.image_sources;
  json["label_sources"] = summary.label_sources;
  return json;
}

// Eight heights, the fullest bin the highest; what is not empty shows.
std::string bars(const data::BandSummary& band) {
  constexpr std::array heights{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto most = std::max<std::int64_t>(1, *std::max_element(band.count.begin(), band.count.end()));
  std::string text;
  for (const auto count : band.count) text += heights[static_cast<std::size_t>((count * 8 + most - 1) / most)];
  return text;
}

void print_sources(const char* what, const std::vector<std::string>& sources) {
  constexpr std::size_t shown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, sources.size()); ++i) text += (i == 0 ? "" : ", ") + sources[i];
  fmt::print("{} from {} file{}: {}{}\n", what, sources.size(), sources.size() == 1 ? "" : "s", text,
             sources.size() > shown ? ", ..." : "");
}

void print(const data::Shard& shard, const data::ShardSummary& summary) {
  const auto& info = shard.info();
  fmt::print("{}: {} tiles of {}x{}, {} bands of {}, by {}\n\n", shard.path().string(), info.tiles, info.height,
             info.width, info.bands, name_of(info.dtype), info.creator);
  fmt::print("split   tiles  with a class  ignored pixels  share of each label, from background up\n");
  for (std::size_t split = 0; split < summary.split.size(); ++split) {
    const auto& of = summary.split[split];
    const auto all = std::max<std::int64_t>(1, of.pixels + of.ignored);
    fmt::print("{:6} {:6} {:13} {:13.2f} %", data::name_of(static_cast<data::Split>(split)), of.tiles,
               of.positive_tiles, 100 * static_cast<double>(of.ignored) / static_cast<double>(all));
    for (const double share : of.class_share) fmt::print(" {:7.2f} %", 100 * share);
    fmt::print("\n");
  }
  fmt::print("\nband        mean   deviation       least  histogram {:<{}} most\n", "", data::histogram_bins - 10);
  for (std::size_t band = 0; band < summary.band.size(); ++band) {
    const auto& of = summary.band[band];
    fmt::print("{:4} {:11.5g} {:11.5g} {:11.5g}  {} {:.5g}\n", band + 1, info.mean[band], info.std[band], of.least,
               bars(of), of.most);
  }
  fmt::print("\n");
  print_sources("images", summary.image_sources);
  print_sources("labels", summary.label_sources);
}

int run(const Arguments& arguments) {
  const data::Shard shard(arguments.file);
  const auto summary = data::summarise(shard);
  if (!arguments.map.empty()) data::write_shard_map(shard, arguments.map);
  if (arguments.json) {
    fmt::print("{}\n", to_json(shard, summary).dump(2));
  } else {
    print(shard, summary);
  }
  return 0;
}

}  // namespace

void add_inspect_command(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = data_app.add_subcommand("inspect", "Says what a shard holds: counts, classes, histograms, sources");
  app->add_option("FILE", arguments->file, "The shard")->required();
  app->add_option("--map", arguments->map, "A PNG to draw the tiles on, where they lie");
  app->add_flag("--json", arguments->json, "Report as JSON");
  app->footer("Example: plume data inspect tiles.h5 --map tiles.png");
  app->callback([arguments, &action] { action = [arguments] { return run(*arguments); }; });
}

}  // namespace plume::unet

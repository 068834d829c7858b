// plume data synth, and what it shares with the other subcommands of plume data.
#include <fmt/core.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "data/synth/scenes.hpp"
#include "data/synth/tiles.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

struct SynthArguments {
  std::string output;
  int tiles = 0;
  int scenes = 0;
  bool thermal = false;
  std::uint64_t seed = 1;
  int threads = 2;
};

int run_synth(const SynthArguments& arguments) {
  const StopSignal signals;
  if (arguments.scenes == 0 && arguments.tiles == 0) throw usage_error("say how many: --scenes N or --tiles N");
  if (arguments.tiles > 0) {
    data::synth::write_scenes(arguments.output, arguments.tiles, arguments.seed,
                              progress_on_terminal("no file is half-written"));
    fmt::print("{}: {} tiles in tiles/, their smoke in masks/\n", arguments.output, arguments.tiles);
    return 0;
  }
  data::synth::write_abi_scenes(
      {arguments.output, arguments.scenes, arguments.seed, arguments.thermal, arguments.threads},
      progress_on_terminal("no file is half-written", "scenes"));
  fmt::print("{}: {} scenes as ABI L1b files in abi/, their smoke by day in hms/\n", arguments.output,
             arguments.scenes);
  return 0;
}

void add_synth(CLI::App& data_app, Action& action) {
  auto arguments = std::make_shared<SynthArguments>();
  CLI::App* app = data_app.add_subcommand("synth", "Draws GOES-like scenes, and the smoke that is in them");
  app->add_option("-o,--output", arguments->output, "Folder to write into")->required();
  auto* const scenes = app->add_option(
      "--scenes", arguments->scenes, "So many sectors of 1000 km as ABI L1b files in abi/, and HMS shapefiles in hms/");
  scenes->check(CLI::Range(1, 100000));
  app->add_option("--tiles", arguments->tiles, "So many GeoTIFF tiles in tiles/ and their masks in masks/ instead")
      ->check(CLI::Range(1, 100000))
      ->excludes(scenes);
  app->add_flag("--thermal", arguments->thermal, "Scenes with C07 and C13 too")->needs(scenes);
  app->add_option("--threads", arguments->threads, "That draw")->capture_default_str()->check(CLI::Range(1, 1024));
  app->add_option("--seed", arguments->seed, "Another seed, other scenes")->capture_default_str();
  app->footer("Example: plume data synth --scenes 4 --seed 1 -o scenes");
  app->callback([arguments, &action] { action = [arguments] { return run_synth(*arguments); }; });
}

}  // namespace

data::PackProgress progress_on_terminal(const char* remains, const char* things) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return [terminal, remains, things](int done, int total) {
    if (StopSignal::requested())
      throw environment_error("stopped by a signal after {} of {} {}; {}", done, total, things, remains);
    if (terminal) fmt::print(stderr, "\r{}/{} {}{}", done, total, things, done == total ? "\r\033[K" : "");
  };
}

void add_data_commands(CLI::App& app, Action& action) {
  CLI::App* data_app = app.add_subcommand("data", "Prepares data: fetch, pack, verify, inspect, show, synth");
  data_app->require_subcommand(1);
  add_fetch_command(*data_app, action);
  add_pack_command(*data_app, action);
  add_verify_command(*data_app, action);
  add_inspect_command(*data_app, action);
  add_show_command(*data_app, action);
  add_synth(*data_app, action);
}

}  // namespace plume::unet

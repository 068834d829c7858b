// plume data synth, and what it shares with the other subcommands of plume data.
#include <fmt/core.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "data/synth/tiles.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"
#include "unet/stop_signal.hpp"

namespace plume::unet {
namespace {

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
      data::synth::write_scenes(arguments->output, arguments->tiles, arguments->seed,
                                progress_on_terminal("no file is half-written"));
      fmt::print("{}: {} scenes in tiles/, their smoke in masks/\n", arguments->output, arguments->tiles);
      return 0;
    };
  });
}

}  // namespace

data::PackProgress progress_on_terminal(const char* remains) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return [terminal, remains](int done, int total) {
    if (StopSignal::requested())
      throw environment_error("stopped by a signal after {} of {} tiles; {}", done, total, remains);
    if (terminal) fmt::print(stderr, "\r{}/{} tiles{}", done, total, done == total ? "\r\033[K" : "");
  };
}

void add_data_commands(CLI::App& app, Action& action) {
  CLI::App* data_app = app.add_subcommand("data", "Prepares data: pack, verify, inspect, synth");
  data_app->require_subcommand(1);
  add_pack_command(*data_app, action);
  add_verify_command(*data_app, action);
  add_inspect_command(*data_app, action);
  add_synth(*data_app, action);
}

}  // namespace plume::unet

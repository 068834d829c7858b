// plume data verify
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "data/verify.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/data_commands.hpp"

namespace plume::unet {
namespace {

// Names every damaged tile; the error at the end counts them, after all files were looked at.
int run(const std::vector<std::string>& files) {
  std::size_t damaged_tiles = 0;
  for (const auto& file : files) {
    const data::Shard shard(file);
    const auto damaged = data::damaged_tiles(shard);
    for (const int tile : damaged)
      fmt::print("{}: tile {} (number {}) is damaged\n", file, shard.info().name[static_cast<std::size_t>(tile)], tile);
    if (damaged.empty()) fmt::print("{}: {} tiles are whole\n", file, shard.info().tiles);
    damaged_tiles += damaged.size();
  }
  if (damaged_tiles > 0)
    throw input_error("{} damaged tile{}; pack the data again or fetch another copy", damaged_tiles,
                      damaged_tiles == 1 ? "" : "s");
  return 0;
}

}  // namespace

void add_verify_command(CLI::App& data_app, Action& action) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* app = data_app.add_subcommand("verify", "Compares every tile of shards with its checksum");
  app->add_option("FILE", *files, "Shards")->required();
  app->footer("Example: plume data verify tiles.h5");
  app->callback([files, &action] { action = [files] { return run(*files); }; });
}

}  // namespace plume::unet

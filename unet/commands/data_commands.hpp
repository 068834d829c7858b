// The subcommands of `plume data`, a file each.
#pragma once

#include "data/shards/pack.hpp"
#include "unet/command.hpp"

namespace plume::unet {

void add_pack_command(CLI::App& data_app, Action& action);
void add_verify_command(CLI::App& data_app, Action& action);
void add_inspect_command(CLI::App& data_app, Action& action);
void add_show_command(CLI::App& data_app, Action& action);
void add_fetch_command(CLI::App& data_app, Action& action);

// Counts on a terminal's last line. Also where a signal ends the work, `remains` says in what state.
[[nodiscard]] data::PackProgress progress_on_terminal(const char* remains, const char* things = "tiles");

}  // namespace plume::unet

// The commands of `plume-infer`, each in a file of its own.
#pragma once

#include <CLI/CLI.hpp>

#include "unet/cli/program.hpp"

namespace plume::unet::infer {

// Each adds its subcommand to the application and sets `action` when it is the one that was called.
void add_predict_command(CLI::App& app, Action& action);

}  // namespace plume::unet::infer

// What `plume` and `plume-infer` have in common: one command a call, errors in one line, exit codes by kind.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace plume::unet {

// Runs after parsing; the value is the exit code.
using Action = std::function<int()>;

// Each subcommand that `add` gives the application sets the action when it is the one that was called.
using AddCommands = std::function<void(CLI::App& app, Action& action)>;

// main()'s value. An error is one line on stderr, "NAME: ...", and its kind's exit code; 1 is a fault of the program.
[[nodiscard]] int run_program(const char* name, const char* description, const char* version, int argc, char** argv,
                              const AddCommands& add);

}  // namespace plume::unet

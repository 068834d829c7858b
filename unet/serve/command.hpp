// The command `serve`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "unet/serve/settings.hpp"

namespace plume::serve {

// How a program was called. SageMaker calls containers with the only argument "serve"; a program that is itself named so
// needs none.
struct Call {
  bool as_container = false;
  std::vector<std::string> arguments;  // without the program's name
};
[[nodiscard]] Call read_call(std::span<const char* const> arguments);

// Adds the subcommand, and sets `action` where it is called. as_container: the defaults are SageMaker's, the model in /opt/ml/model
// and all of the machine's addresses.
void add_serve_command(CLI::App& app, std::function<int()>& action, bool as_container);

// Serves until SIGTERM or SIGINT, answers what it was asked before, and returns 0; or the exit code of an environment's error
// where that took too long. Throws as Service does.
[[nodiscard]] int serve(const ServeSettings& settings);

}  // namespace plume::serve

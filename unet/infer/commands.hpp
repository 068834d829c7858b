// The commands of `plume-infer`, each in a file of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "unet/cli/program.hpp"

namespace plume::unet::infer {

// How the program was called, as main() was. SageMaker calls containers with the only argument "serve"; a program that is itself
// named so needs none.
struct Call {
  bool as_container = false;
  std::vector<char*> arguments;
};
[[nodiscard]] Call read_call(int argc, char** argv);

// Each adds its subcommand to the application and sets `action` when it is the one that was called.
void add_predict_command(CLI::App& app, Action& action);

// Called as a container its defaults are SageMaker's, the model in /opt/ml/model and all of the machine's addresses. The call must
// outlive the application.
void add_serve_command(CLI::App& app, Action& action, const Call& call);

}  // namespace plume::unet::infer

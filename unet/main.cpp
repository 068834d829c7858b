// The program `plume`: parses the command line, runs one command, turns errors into one line and an exit code.
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <new>

#include "kernels/base/error.hpp"
#include "unet/command.hpp"
#include "unet/version.hpp"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"plume finds wildfire smoke in satellite images: it packs data, trains U-Nets, evaluates and predicts.", "plume"};
  app.set_version_flag("--version", plume::unet::version);
  app.require_subcommand(1);
  plume::unet::Action action;
  plume::unet::add_data_commands(app, action);
  plume::unet::add_train_command(app, action);
  plume::unet::add_eval_command(app, action);
  plume::unet::add_predict_command(app, action);
  plume::unet::add_import_commands(app, action);
  plume::unet::add_doctor_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == 0;
    if (help) return app.exit(error);
    fmt::print(stderr, "plume: {} (--help tells more)\n", error.what());
    return static_cast<int>(plume::ErrorKind::usage);
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const plume::Error& error) {
    fmt::print(stderr, "plume: {}\n", error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "plume: out of memory\n");
    return static_cast<int>(plume::ErrorKind::environment);
  } catch (const std::exception& error) {
    fmt::print(stderr, "plume: internal error: {}\n", error.what());
    return 1;
  }
}

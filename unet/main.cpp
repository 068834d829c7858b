// The program `plume`: parses the command line, runs one command, turns errors into one line and an exit code.
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>

#include "kernels/base/error.hpp"
#include "unet/command.hpp"
#include "unet/version.hpp"

namespace {

// One line, whatever a file's names put into the message.
std::string on_one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F) {
      line += fmt::format("\\x{:02x}", code);
    } else {
      line += c;
    }
  }
  return line;
}

int complain(const char* what, int exit_code) {
  fmt::print(stderr, "plume: {}\n", on_one_line(what));
  return exit_code;
}

int run(int argc, char** argv) {
  CLI::App app{"plume finds wildfire smoke in satellite images: it packs data, trains U-Nets, evaluates and predicts.",
               "plume"};
  app.set_version_flag("--version", plume::unet::version);
  app.require_subcommand(1);
  plume::unet::Action action;
  plume::unet::add_data_commands(app, action);
  plume::unet::add_train_command(app, action);
  plume::unet::add_eval_command(app, action);
  plume::unet::add_predict_command(app, action);
  plume::unet::add_import_commands(app, action);
  plume::unet::add_doctor_command(app, action);
  plume::unet::add_bench_command(app, action);
  plume::unet::add_quantize_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == 0;
    if (help) return app.exit(error);
    return complain(fmt::format("{} (--help tells more)", error.what()).c_str(),
                    static_cast<int>(plume::ErrorKind::usage));
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw plume::environment_error("cannot write to standard output: is the disk full?");
    }
    return code;
  } catch (const plume::Error& error) {
    return complain(error.what(), error.exit_code());
  } catch (const std::filesystem::filesystem_error& error) {
    return complain(error.what(), static_cast<int>(plume::ErrorKind::environment));
  } catch (const std::bad_alloc&) {
    return complain("out of memory", static_cast<int>(plume::ErrorKind::environment));
  } catch (const std::exception& error) {
    return complain(fmt::format("internal error: {}", error.what()).c_str(), 1);
  }
}

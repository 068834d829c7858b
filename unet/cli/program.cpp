// Parses the command line, runs one command, turns errors into one line and an exit code.
#include "unet/cli/program.hpp"

#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>

#include "kernels/base/error.hpp"

namespace plume::unet {
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

int parse_and_run(CLI::App& app, int argc, char** argv, const AddCommands& add) {
  app.require_subcommand(1);
  Action action;
  add(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == 0;
    if (help) return app.exit(error);
    throw usage_error("{} (--help tells more)", error.what());
  }
  return action();
}

}  // namespace

int run_program(const char* name, const char* description, const char* version, int argc, char** argv,
                const AddCommands& add) {
  const auto complain = [&](std::string_view what, int exit_code) {
    // Not by fmt::print, which throws where standard error cannot be written to.
    static_cast<void>(std::fputs(fmt::format("{}: {}\n", name, on_one_line(what)).c_str(), stderr));
    return exit_code;
  };
  try {
    CLI::App app{description, name};
    app.set_version_flag("--version", version);
    const int code = parse_and_run(app, argc, argv, add);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw environment_error("cannot write to standard output: is the disk full?");
    }
    return code;
  } catch (const Error& error) {
    return complain(error.what(), error.exit_code());
  } catch (const std::filesystem::filesystem_error& error) {
    return complain(error.what(), static_cast<int>(ErrorKind::environment));
  } catch (const std::bad_alloc&) {
    return complain("out of memory", static_cast<int>(ErrorKind::environment));
  } catch (const std::exception& error) {
    return complain(fmt::format("internal error: {}", error.what()), 1);
  }
}

}  // namespace plume::unet

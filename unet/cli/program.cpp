// Parses the command line, runs one command, turns errors into one line and an exit code.
#include "unet/cli/program.hpp"

#include <fmt/core.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/error.hpp"
#include "kernels/base/nearest_word.hpp"

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

// No option takes NaN or infinity, which CLI11's ranges let pass.
void want_finite_numbers(CLI::App& app) {
  const auto finite = [](const std::string& text) {
    double value = 0;
    const bool read = CLI::detail::lexical_cast(text, value);
    return read && !std::isfinite(value) ? text + " is no number" : std::string();
  };
  for (CLI::Option* option : app.get_options()) {
    if (option->get_type_name().starts_with("FLOAT")) option->check(finite);
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) want_finite_numbers(*command);
}

// Where a command is missing: the word that stands in its place.
std::string unknown_command(const CLI::App& app) {
  const CLI::App* last = &app;
  while (!last->get_subcommands().empty()) last = last->get_subcommands().front();
  const auto words = last->remaining();
  std::vector<std::string> names;
  for (const CLI::App* command : last->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (words.empty() || words.front().starts_with('-') || last->get_require_subcommand_min() == 0) return "";
  return fmt::format("there is no command {}{}", words.front(), suggestion(words.front(), names));
}

int parse_and_run(CLI::App& app, int argc, char** argv, const AddCommands& add) {
  app.require_subcommand(1);
  Action action;
  add(app, action);
  want_finite_numbers(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool help = error.get_exit_code() == 0;
    if (help) return app.exit(error);
    const std::string unknown = error.get_name() == "RequiredError" ? unknown_command(app) : "";
    throw usage_error("{} (--help tells more)", unknown.empty() ? error.what() : unknown);
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

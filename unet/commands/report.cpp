// plume report
#include "unet/report/report.hpp"

#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "data/shards/split.hpp"
#include "kernels/base/atomic_file.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::vector<std::string> runs;
  std::string output;
  ReportOptions options;
};

int run_report(Arguments arguments) {
  arguments.options.runs.assign(arguments.runs.begin(), arguments.runs.end());
  const std::filesystem::path output = !arguments.output.empty()    ? std::filesystem::path(arguments.output)
                                       : arguments.runs.size() == 1 ? arguments.options.runs.front() / "report.html"
                                                                    : std::filesystem::path("report.html");
  const Report report = make_report(arguments.options);
  for (const std::string& note : report.notes) fmt::print(stderr, "note: {}\n", note);
  AtomicFile file(output);
  file.write(report.html);
  file.commit();
  fmt::print("{}: {:.2f} MB\n", output.string(), static_cast<double>(report.html.size()) / 1e6);
  return 0;
}

}  // namespace

void add_report_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("report", "Makes a page about a training, or about several side by side");
  command->add_option("runs", arguments->runs, "Folders that plume train wrote")->required();
  command->add_option("-o,--output", arguments->output,
                      "The page; by default report.html in the run's folder, of several here");
  command->add_option("--split", arguments->options.split, "What the best models are looked at on")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "val", "test"}));
  command->add_option("--tiles", arguments->options.tiles, "How many of the worst and of the best tiles are shown")
      ->capture_default_str()
      ->check(CLI::Range(0, 100));
  add_threads_option(*command, arguments->options.threads);
  add_device_options(*command, arguments->options.device);
  command->footer("Example: plume report runs/first runs/second -o compared.html");
  command->callback([arguments, &action] { action = [arguments] { return run_report(*arguments); }; });
}

}  // namespace plume::unet

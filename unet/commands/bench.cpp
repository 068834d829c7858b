// plume bench
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "dist/launcher.hpp"
#include "kernels/base/error.hpp"
#include "unet/cli/choice_option.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"
#include "unet/commands/bench_exchange.hpp"
#include "unet/commands/bench_layers.hpp"
#include "unet/commands/bench_load.hpp"
#include "unet/commands/bench_steps.hpp"
#include "unet/commands/bench_work.hpp"
#include "unet/commands/launched.hpp"
#include "unet/commands/median.hpp"
#include "unet/config.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string what;           // train, infer, layers, load or exchange
  std::string work{"train"};  // whose layers
  std::string shard;          // to load or to train on
  BenchSettings settings;
  int steps = 0;  // of training, a line each; 0: as many as repeats where several ranks were launched, else none
  BenchStepsSettings step_by_step;
  double mebibytes = 32;  // to exchange
  std::string output = "runs/bench";
  bool json = false;
};

using Works = std::set<std::string>;
const Works networks{"train", "infer", "layers"};
const Works streams{"train", "infer", "layers", "exchange"};

// Which measurement reads an option; of those that are not here, all do.
const std::map<std::string, Works> readers{
    {"--data", {"load", "train"}},
    {"--work", {"layers"}},
    {"--steps", {"train"}},
    {"--mebibytes", {"exchange"}},
    {"--batch", {"train", "infer", "layers", "load"}},
    {"--model", networks},
    {"--base", networks},
    {"--bands", networks},
    {"--size", networks},
    {"--device", streams},
    {"--precision", networks},
    {"--conv", networks},
    {"--out", {"train", "exchange"}},
};

// An option that would be passed over is a slip.
void refuse_what_is_not_read(const CLI::App& command, const std::string& what) {
  for (const auto& [option, works] : readers) {
    if (command.count(option) > 0 && !works.contains(what))
      throw usage_error("bench {} does not read {}, which is for {}", what, option, fmt::join(works, ", "));
  }
}

// Seconds of each repeat, the warm-up left out.
std::vector<double> measure(BenchWork& work, int repeats) {
  std::vector<double> seconds;
  for (int i = -warm_up; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work.run();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (i >= 0) seconds.push_back(taken.count());
  }
  return seconds;
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int run_bench(const Arguments& arguments) {
  const BenchSettings& settings = arguments.settings;
  BenchWork work(settings);
  const std::vector<double> seconds = measure(work, settings.repeats);
  const double middle = median(seconds);
  const auto [fastest, slowest] = std::minmax_element(seconds.begin(), seconds.end());
  nlohmann::ordered_json report{{"work", arguments.what},
                                {"size", settings.size},
                                {"batch", settings.batch},
                                {"device", describe_device(work.stream(), settings.device.precision)},
                                {"repeats", seconds.size()},
                                {"milliseconds", middle * 1e3},
                                {"fastest_milliseconds", *fastest * 1e3},
                                {"slowest_milliseconds", *slowest * 1e3},
                                {"images_per_second", settings.batch / middle},
                                {"peak_mebibytes", peak_mebibytes()}};
  if (arguments.json) {
    fmt::print("{}\n", report.dump());
    return 0;
  }
  fmt::print("{}: {:.2f} ms ({:.2f} to {:.2f}), {:.2f} images/s, {:.0f} MiB at most; {}\n", describe(settings),
             middle * 1e3, *fastest * 1e3, *slowest * 1e3, settings.batch / middle,
             report["peak_mebibytes"].get<double>(), report["device"].get<std::string>());
  return 0;
}

int run_load(const Arguments& arguments) {
  const BenchSettings& settings = arguments.settings;
  if (arguments.shard.empty()) throw usage_error("bench load takes its tiles from a shard: --data SHARD");
  return bench_load({arguments.shard, settings.batch, settings.repeats, std::max(1, settings.threads), arguments.json});
}

// What ranks beyond the first are watched by.
dist::Supervision supervision_of(const Arguments& arguments) {
  dist::Supervision supervision;
  supervision.folder = std::filesystem::path(arguments.output) / "ranks";
  return supervision;
}

int run_steps(const Arguments& arguments) {
  BenchStepsSettings how = arguments.step_by_step;
  how.shard = arguments.shard;
  how.json = arguments.json;
  how.steps = arguments.steps > 0 ? arguments.steps : arguments.settings.repeats;
  return run_launched(supervision_of(arguments), [&](dist::Communicator* communicator) {
    return bench_steps(arguments.settings, how, communicator);
  });
}

int run_exchange(const Arguments& arguments) {
  const BenchSettings& settings = arguments.settings;
  return run_launched(supervision_of(arguments), [&](dist::Communicator* communicator) {
    return bench_exchange({arguments.mebibytes, settings.repeats, settings.threads, settings.device, arguments.json},
                          communicator);
  });
}

int run(Arguments arguments) {
  if (arguments.what == "load") return run_load(arguments);
  if (arguments.what == "exchange") return run_exchange(arguments);
  if (arguments.what == "train" && (arguments.steps > 0 || dist::launch().ranks > 1)) return run_steps(arguments);
  if (arguments.what == "train" && !arguments.shard.empty())
    throw usage_error("bench train reads --data where it is told how many --steps");
  const bool layers = arguments.what == "layers";
  const std::string& kind = layers ? arguments.work : arguments.what;
  arguments.settings.kind = kind == "train" ? BenchSettings::Kind::train : BenchSettings::Kind::infer;
  return layers ? bench_layers(arguments.settings, arguments.json) : run_bench(arguments);
}

// For training steps on as many ranks as were launched.
void add_steps_options(CLI::App& command, Arguments& arguments) {
  BenchStepsSettings& how = arguments.step_by_step;
  auto* steps =
      command
          .add_option("--steps", arguments.steps,
                      "Of train: print a line for each of so many steps, and what they amount to; where several "
                      "ranks were launched, for --repeats")
          ->excludes("--repeats")
          ->check(CLI::Range(1, 1000000));
  command.add_option("--global-batch", how.global_batch, "Images at a time over all ranks, in place of --batch")
      ->check(CLI::Range(1, 1 << 20))
      ->needs(steps)
      ->excludes("--batch");
  add_choice(command, "--comm", "When gradients are summed over ranks: while backward runs, after it, or not at all",
             how.comm, timing_names)
      ->needs(steps);
  command
      .add_option("--baseline", how.baseline,
                  "Images per second of one rank alone, of which efficiency is the share that each rank keeps")
      ->check(CLI::PositiveNumber)
      ->needs(steps);
  command.add_option("--mebibytes", arguments.mebibytes, "Of gradients to exchange")
      ->capture_default_str()
      ->check(CLI::Range(0.125, 4096.0));
  command.add_option("--out", arguments.output, "Folder in which ranks leave signs of life")->capture_default_str();
}

}  // namespace

void add_bench_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  BenchSettings& settings = arguments->settings;
  auto* command = app.add_subcommand(
      "bench", "Measure a network's training step or inference, a shard's loading, or ranks' exchange");
  command
      ->add_option(
          "what", arguments->what,
          "train: forward, loss, backward, AdamW; infer: pixels to probabilities; layers: where the time goes; "
          "load: batches from a shard; exchange: gradients between ranks")
      ->required()
      ->check(CLI::IsMember({"train", "infer", "layers", "load", "exchange"}));
  auto* data = command->add_option("--data", arguments->shard, "The shard to load from, or to train on by --steps");
  command->add_option("--work", arguments->work, "Whose layers: train or infer")
      ->capture_default_str()
      ->check(CLI::IsMember({"train", "infer"}));
  auto* model = command->add_option("--model", settings.model, "The network; a classic U-Net if none is given");
  command->add_option("--base", settings.network.base, "Width of the classic U-Net's first level")->excludes(model);
  command->add_option("--bands", settings.network.bands, "Its bands")->excludes(model)->excludes(data);
  command->add_option("--size", settings.size, "Edge of the images in pixels")->check(CLI::Range(1, 8192));
  command->add_option("--batch", settings.batch, "Images at a time; of several ranks each")->check(CLI::Range(1, 4096));
  command
      ->add_option("--repeats", settings.repeats,
                   "Steps that count, after three that do not; of load: epochs, after one")
      ->check(CLI::Range(1, 1000000));
  command
      ->add_option("--threads", settings.threads,
                   "Of the CPU; 0: OMP_NUM_THREADS or all cores; of load: that read, 0: one")
      ->check(CLI::Range(0, 1024));
  command->add_flag("--json", arguments->json, "Print the figures as JSON");
  add_steps_options(*command, *arguments);
  add_device_options(*command, settings.device);
  command->footer(
      "Example: plume bench infer --base 32 --size 256 --batch 1\n"
      "         mpiexec -n 2 -bind-to core plume bench train --base 32 --batch 4 --steps 20");
  command->callback([arguments, command, &action] {
    refuse_what_is_not_read(*command, arguments->what);
    action = [arguments] { return run(*arguments); };
  });
}

}  // namespace plume::unet

// plume train
#include "unet/train.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dist/launcher.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "unet/command.hpp"
#include "unet/commands/launched.hpp"
#include "unet/find_rate.hpp"
#include "unet/kept_checkpoints.hpp"
#include "unet/report/report.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string config;
  std::vector<std::string> settings;
  std::string output = "runs/latest";
  std::string resume;
  std::string device;
  std::string precision;
  std::string conv;
  std::string on_nan;
  bool find_rate = false;
  RateRange range;
  bool quiet = false;
  bool json = false;
  bool memory = false;
  bool dry_run = false;
};

// What --resume asks for: a checkpoint, or none where "auto" finds none.
std::filesystem::path checkpoint_to_resume(const Arguments& arguments) {
  const auto note = [&](const std::string& line) {
    if (!arguments.quiet) fmt::print(stderr, "note: {}\n", line);
  };
  if (arguments.resume == "auto") return newest_whole(arguments.output, note).value_or(std::filesystem::path());
  const auto last = checkpoint_path(arguments.output);
  const std::filesystem::path named = arguments.resume;
  const bool exists = std::filesystem::exists(last);
  if (exists && (named.empty() || !std::filesystem::exists(named) || !std::filesystem::equivalent(last, named))) {
    throw usage_error("{} holds a training already; --resume auto continues it, another --out starts a new one",
                      arguments.output);
  }
  return named;
}

// What was set by a flag of its own comes last.
std::vector<std::string> settings_of(const Arguments& arguments) {
  std::vector<std::string> settings = arguments.settings;
  if (!arguments.device.empty()) settings.push_back("train.device=" + arguments.device);
  if (!arguments.precision.empty()) settings.push_back("train.precision=" + arguments.precision);
  if (!arguments.conv.empty()) settings.push_back("train.conv=" + arguments.conv);
  if (!arguments.on_nan.empty()) settings.push_back("train.on_nan=" + arguments.on_nan);
  return settings;
}

int run_find_rate(const Arguments& arguments) {
  if (dist::launch().ranks > 1)
    throw usage_error("--find-lr runs in one process; start it without {}", dist::launch().by);
  if (arguments.range.lowest >= arguments.range.highest)
    throw usage_error("--find-lr-from {} is not below --find-lr-to {}", arguments.range.lowest,
                      arguments.range.highest);
  const RateSearch search = find_rate(load_config(arguments.config, settings_of(arguments)), arguments.range);
  if (!arguments.json) {
    fmt::print("{}", to_text(search));
    return 0;
  }
  nlohmann::ordered_json json{{"suggested", search.suggested}, {"lowest_loss_at", search.lowest}};
  for (const RateTrial& trial : search.trials)
    json["trials"].push_back({{"rate", trial.rate}, {"loss", trial.loss}, {"smoothed", trial.smoothed}});
  fmt::print("{}\n", json.dump(2));
  return 0;
}

void report(const Arguments& arguments, const TrainOptions& options, const TrainOutcome& outcome) {
  const bool validated = outcome.progress.best_step > 0;
  if (arguments.json) {
    using Json = nlohmann::ordered_json;
    const nlohmann::ordered_json report{{"steps", outcome.progress.step},
                                        {"loss", outcome.last_loss},
                                        {"best_val_iou", validated ? Json(outcome.progress.best_iou) : Json()},
                                        {"best_step", validated ? Json(outcome.progress.best_step) : Json()},
                                        {"seconds", outcome.seconds},
                                        {"stopped", outcome.stopped}};
    fmt::print("{}\n", report.dump(2));
  } else if (!arguments.quiet && !outcome.stopped && !validated) {
    fmt::print("{} steps in {:.1f} s, without a validation: {}\n", outcome.progress.step, outcome.seconds,
               checkpoint_path(options.output).string());
  } else if (!arguments.quiet && !outcome.stopped) {
    fmt::print("{} steps in {:.1f} s; best validation IoU {:.4f} at step {}: {}\n", outcome.progress.step,
               outcome.seconds, outcome.progress.best_iou, outcome.progress.best_step,
               (options.output / "best.safetensors").string());
  }
}

// The training is done and saved; what its page costs is told, and no error.
void write_page(const Arguments& arguments, const TrainOptions& options) {
  try {
    const auto path = options.output / "report.html";
    const Report page = make_report(
        {.runs = {options.output}, .device = options.config.train.device, .threads = options.config.train.threads});
    AtomicFile file(path);
    file.write(page.html);
    file.commit();
    if (arguments.quiet || arguments.json) return;
    for (const std::string& note : page.notes) fmt::print(stderr, "note: {}\n", note);
    fmt::print("curves, tiles and record: {}\n", path.string());
  } catch (const Error& error) {
    fmt::print(stderr, "note: no report.html: {}\n", error.what());
  }
}

// communicator: null for one process alone.
int train_as(const Arguments& arguments, dist::Communicator* communicator) {
  TrainOptions options;
  options.communicator = communicator;
  options.config = load_config(arguments.config, settings_of(arguments));
  if (arguments.memory) {
    fmt::print("{}", describe_memory(options.config));
    return 0;
  }
  options.output = arguments.output;
  // Rank 0 reads it, and may write a newer one before the others have looked.
  const bool leads = communicator == nullptr || communicator->rank() == 0;
  if (leads) options.resume = checkpoint_to_resume(arguments);
  options.quiet = arguments.quiet;
  if (arguments.dry_run) {
    const std::string plan = describe_training(options);
    if (leads) fmt::print("{}", plan);
    return 0;
  }
  const TrainOutcome outcome = train(options);
  if (leads) report(arguments, options, outcome);
  // Of several ranks the others would wait for it, and be taken for hung.
  if (communicator == nullptr && !outcome.stopped) write_page(arguments, options);
  return outcome.stopped ? exit_requeue : 0;
}

// The deadline is the configuration's; what is wrong with that, the ranks will say.
dist::Supervision supervision_of(const Arguments& arguments) {
  dist::Supervision supervision;
  supervision.folder = std::filesystem::path(arguments.output) / "ranks";
  supervision.heeds_stop = !arguments.dry_run;
  try {
    supervision.deadline = load_config(arguments.config, settings_of(arguments)).dist.deadline;
  } catch (const Error&) {
    return supervision;
  }
  supervision.period = std::clamp(supervision.deadline / 20, 0.1, 10.0);
  return supervision;
}

int run_train(const Arguments& arguments) {
  if (arguments.find_rate) return run_find_rate(arguments);
  if (arguments.memory) return train_as(arguments, nullptr);
  return run_launched(supervision_of(arguments),
                      [&](dist::Communicator* communicator) { return train_as(arguments, communicator); });
}

}  // namespace

void add_train_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("train", "Trains a U-Net as a configuration says");
  command->add_option("config", arguments->config, "TOML file; docs/reference.md lists its keys")->required();
  command->add_option("--set", arguments->settings, "Changes a key: section.name=value; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--out", arguments->output, "The run's folder")->capture_default_str();
  CLI::Option* resume =
      command->add_option("--resume", arguments->resume,
                          "auto: go on from the run folder's last.safetensors if it is there; or a path to one");
  command->add_option("--device", arguments->device, "train.device: auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command->add_option("--conv", arguments->conv, "train.conv: auto, direct or winograd convolutions on the CPU");
  command->add_option("--precision", arguments->precision, "train.precision: f32; on CUDA also tf32 and bf16")
      ->check(CLI::IsMember({"f32", "tf32", "bf16"}));
  command
      ->add_option("--on-nan", arguments->on_nan,
                   "train.on_nan: stop, or skip steps whose loss or gradients are not finite")
      ->check(CLI::IsMember({"stop", "skip"}));
  CLI::Option* find_rate =
      command->add_flag("--find-lr", arguments->find_rate,
                        "Train with a rate that rises at every step, say which to begin with, and stop");
  find_rate->excludes(resume);
  command->add_option("--find-lr-from", arguments->range.lowest, "The lowest rate it tries")
      ->capture_default_str()
      ->check(CLI::Range(1e-12, 1e3))
      ->needs(find_rate);
  command->add_option("--find-lr-to", arguments->range.highest, "The highest")
      ->capture_default_str()
      ->check(CLI::Range(1e-12, 1e3))
      ->needs(find_rate);
  command->add_option("--find-lr-steps", arguments->range.steps, "In so many steps")
      ->capture_default_str()
      ->check(CLI::Range(2, 100000))
      ->needs(find_rate);
  command->add_flag("--quiet", arguments->quiet, "Nothing on the terminal but errors");
  CLI::Option* json = command->add_flag("--json", arguments->json, "Report as JSON at the end");
  CLI::Option* memory = command->add_flag("--memory", arguments->memory, "Print what a step needs in memory, and stop")
                            ->excludes(find_rate)
                            ->excludes(json);
  command->add_flag("--dry-run", arguments->dry_run, "Print what each rank would do, and stop before the first step")
      ->excludes(find_rate)
      ->excludes(json)
      ->excludes(memory);
  command->footer(
      "Example: plume train configs/smoke-goes16.toml --set data.shard=tiles.h5 --out runs/first\n"
      "SIGINT, SIGTERM and SIGUSR1 finish the step, save, and exit with 85.");
  command->callback([arguments, &action] { action = [arguments] { return run_train(*arguments); }; });
}

}  // namespace plume::unet

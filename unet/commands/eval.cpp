// plume eval
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "data/shards/shard.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"
#include "unet/evaluate.hpp"
#include "unet/evaluation_report.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string model;
  std::string data;
  std::string split = "val";
  EvaluationSettings settings;
  TestTime test_time = TestTime::none;
  int threads = 0;
  DeviceSettings device;
  bool json = false;
};

int run_eval(const Arguments& arguments) {
  const data::Split split = data::split_from_name(arguments.split);
  kernels::Stream stream = make_stream(arguments.device, arguments.threads);
  const Network network = fold_norms(load_model(arguments.model, element_type(arguments.device.precision), &stream));
  const data::Shard shard(arguments.data);
  Predictor predictor(network, ranges_for(arguments.model, arguments.device.precision));
  predictor.average_over(arguments.test_time);
  const Evaluation result = evaluate(predictor, network.graph(), shard, split, arguments.settings);

  if (arguments.json) {
    nlohmann::ordered_json report{{"model", arguments.model},
                                  {"data", arguments.data},
                                  {"split", data::name_of(split)},
                                  {"tiles", result.tiles()},
                                  {"threshold", arguments.settings.threshold},
                                  {"boundary_tolerance", arguments.settings.boundary_tolerance},
                                  {"orientations", orientations(arguments.test_time).size()}};
    report.update(to_json(result));
    fmt::print("{}\n", report.dump(2));
    return 0;
  }
  fmt::print("{} tiles of '{}' at threshold {}\n{}", result.tiles(), data::name_of(split), arguments.settings.threshold,
             to_text(result));
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("eval", "Measures a model on a split of a shard");
  command->add_option("--model", arguments->model, "A .safetensors that plume wrote")->required();
  command->add_option("--data", arguments->data, "A shard")->required();
  command->add_option("--split", arguments->split, "train, val or test")->capture_default_str();
  command->add_option("--threshold", arguments->settings.threshold, "Smoke is where the probability is above")
      ->capture_default_str()
      ->check(CLI::Range(0.0F, 1.0F));
  command
      ->add_option("--boundary-tolerance", arguments->settings.boundary_tolerance,
                   "Pixels that a border may be off to count as found")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  command->add_option("--batch", arguments->settings.batch, "Tiles at a time; the figures do not hang on it")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  add_test_time_option(*command, arguments->test_time);
  add_threads_option(*command, arguments->threads);
  add_device_options(*command, arguments->device);
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->footer("Example: plume eval --model runs/first/best.safetensors --data tiles.h5 --split test");
  command->callback([arguments, &action] { action = [arguments] { return run_eval(*arguments); }; });
}

}  // namespace plume::unet

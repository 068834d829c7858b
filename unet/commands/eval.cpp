// plume eval
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "data/shards/shard.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"
#include "unet/evaluate.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string model;
  std::string data;
  std::string split = "val";
  float threshold = 0.5F;
  int threads = 0;
  DeviceSettings device;
  bool json = false;
};

nlohmann::ordered_json to_json(const Confusion& counts) {
  return {{"iou", counts.iou()},
          {"dice", counts.dice()},
          {"precision", counts.precision()},
          {"recall", counts.recall()},
          {"accuracy", counts.accuracy()},
          {"true_positive", counts.true_positive},
          {"false_positive", counts.false_positive},
          {"false_negative", counts.false_negative},
          {"true_negative", counts.true_negative}};
}

int run_eval(const Arguments& arguments) {
  const data::Split split = data::split_from_name(arguments.split);
  kernels::Stream stream = make_stream(arguments.device, arguments.threads);
  const Network network = fold_norms(load_model(arguments.model, element_type(arguments.device.precision), &stream));
  const data::Shard shard(arguments.data);
  Predictor predictor(network, ranges_for(arguments.model, arguments.device.precision));
  const Evaluation result = evaluate(predictor, network.graph(), shard, split, arguments.threshold);

  if (arguments.json) {
    nlohmann::ordered_json report{{"model", arguments.model},         {"data", arguments.data},
                                  {"split", data::name_of(split)},    {"tiles", result.tiles},
                                  {"threshold", arguments.threshold}, {"iou", foreground_iou(result.counts)}};
    for (const Confusion& counts : result.counts) report["classes"].push_back(to_json(counts));
    fmt::print("{}\n", report.dump(2));
    return 0;
  }
  fmt::print("{} tiles of '{}' at threshold {}; sums over all pixels\n", result.tiles, data::name_of(split),
             arguments.threshold);
  fmt::print("{:>8} {:>8} {:>8} {:>10} {:>8} {:>9}\n", "class", "IoU", "Dice", "precision", "recall", "accuracy");
  for (std::size_t c = 0; c < result.counts.size(); ++c) {
    const Confusion& counts = result.counts[c];
    const std::string name = result.counts.size() == 1 ? "smoke" : std::to_string(c);
    fmt::print("{:>8} {:>8.4f} {:>8.4f} {:>10.4f} {:>8.4f} {:>9.4f}\n", name, counts.iou(), counts.dice(),
               counts.precision(), counts.recall(), counts.accuracy());
  }
  return 0;
}

}  // namespace

void add_eval_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("eval", "Measures a model on a split of a shard");
  command->add_option("--model", arguments->model, "A .safetensors that plume wrote")->required();
  command->add_option("--data", arguments->data, "A shard")->required();
  command->add_option("--split", arguments->split, "train, val or test")->capture_default_str();
  command->add_option("--threshold", arguments->threshold, "Smoke is where the probability is above")
      ->capture_default_str()
      ->check(CLI::Range(0.0F, 1.0F));
  command->add_option("--threads", arguments->threads, "0: all cores")->capture_default_str();
  add_device_options(*command, arguments->device);
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->footer("Example: plume eval --model runs/first/best.safetensors --data tiles.h5 --split test");
  command->callback([arguments, &action] { action = [arguments] { return run_eval(*arguments); }; });
}

}  // namespace plume::unet

// plume quantize
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/shards/shard.hpp"
#include "kernels/base/error.hpp"
#include "unet/calibrate.hpp"
#include "unet/checkpoint.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"
#include "unet/evaluate.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/padding.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string model;
  std::string data;
  std::string output;
  std::string split = "train";
  int tiles = 256;
  int threads = 0;
  bool json = false;
};

// Some tiles of a split, evenly spaced.
std::vector<int> choose_tiles(const data::Shard& shard, data::Split split, int most) {
  const auto all = shard.tiles(split);
  if (all.empty()) throw input_error("{}: no tile in the split '{}'", shard.path().string(), data::name_of(split));
  const std::size_t count = std::min(all.size(), static_cast<std::size_t>(most));
  std::vector<int> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(all[i * all.size() / count]);
  return chosen;
}

int run_quantize(const Arguments& arguments) {
  kernels::Stream stream = make_stream({.kind = DeviceKind::cpu}, arguments.threads);
  const Network network = fold_norms(load_model(arguments.model, DType::f32, &stream));
  const data::Shard shard(arguments.data);
  require_fit(network.graph(), shard);
  const std::vector<int> tiles = choose_tiles(shard, data::split_from_name(arguments.split), arguments.tiles);

  const data::ShardInfo& info = shard.info();
  const nn::Shape shape{1, info.height, info.width, info.bands};
  const nn::Shape padded = padded_shape(shape, size_multiple(network.graph()));
  std::vector<float> pixels(shape.count());
  Calibration calibration(network);
  for (const int tile : tiles) {
    shard.read(tile, network.graph().input.mean, network.graph().input.std, pixels.data());
    calibration.add(pad(pixels.data(), shape, padded).data(), padded);
  }
  const Ranges ranges = calibration.ranges();
  save_with_ranges(arguments.output, arguments.model, ranges);

  if (arguments.json) {
    fmt::print(
        "{}\n",
        nlohmann::ordered_json{{"model", arguments.output}, {"tiles", tiles.size()}, {"layers", ranges.size()}}.dump(
            2));
    return 0;
  }
  fmt::print("{}: ranges of {} layers from {} tiles of '{}'; for --precision int8\n", arguments.output, ranges.size(),
             tiles.size(), arguments.split);
  return 0;
}

}  // namespace

void add_quantize_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("quantize", "Calibrates a model on tiles, for inference in int8 on the CPU");
  command->add_option("--model", arguments->model, "A .safetensors that plume wrote")->required();
  command->add_option("--data", arguments->data, "A shard")->required();
  command->add_option("-o,--output", arguments->output, "The .safetensors to write: the same model with ranges")
      ->required();
  command->add_option("--split", arguments->split, "train, val or test")->capture_default_str();
  command->add_option("--tiles", arguments->tiles, "How many of the split, evenly spaced")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  add_threads_option(*command, arguments->threads);
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->footer(
      "Example: plume quantize --model runs/first/best.safetensors --data tiles.h5 -o model-int8.safetensors");
  command->callback([arguments, &action] { action = [arguments] { return run_quantize(*arguments); }; });
}

}  // namespace plume::unet

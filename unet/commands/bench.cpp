// plume bench
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/random_batch.hpp"
#include "kernels/base/error.hpp"
#include "nn/initialize.hpp"
#include "nn/optimizer.hpp"
#include "unet/calibrate.hpp"
#include "unet/checkpoint.hpp"
#include "unet/command.hpp"
#include "unet/config.hpp"
#include "unet/families.hpp"
#include "unet/fold_norms.hpp"
#include "unet/network.hpp"
#include "unet/predict.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string work;  // train or infer
  std::string model;
  ModelSettings network;
  int size = 256;
  int batch = 1;
  int repeats = 10;
  int threads = 0;
  DeviceSettings device;
  bool json = false;
};

constexpr int warm_up = 3;  // on CUDA the second step is recorded, the third replayed for the first time

// Seconds of each repeat, the warm-up left out.
std::vector<double> measure(int repeats, const std::function<void()>& body) {
  std::vector<double> seconds;
  for (int i = 0; i < warm_up + repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (i >= warm_up) seconds.push_back(taken.count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

Network make_network(const Arguments& arguments, kernels::Stream& stream) {
  const DType dtype = element_type(arguments.device.precision);
  Network network = arguments.model.empty() ? Network(build_graph(arguments.network), dtype, Fusion::on, &stream)
                                            : load_model(arguments.model, dtype, &stream);
  if (arguments.model.empty()) nn::initialize(network.parameters(), nn::Initializer::he, 1);
  return arguments.work == "train" ? std::move(network) : fold_norms(network);
}

std::vector<double> measure_training(Network& network, const Arguments& arguments) {
  Config config;
  config.train.batch = arguments.batch;
  config.train.device = arguments.device;
  nn::Optimizer optimizer(config.optimizer, network.parameters());
  TrainingStep step(network, config, arguments.size, arguments.size);
  const data::Batch batch = data::random_batch(arguments.batch, arguments.size, network.graph().input.bands, 1);
  constexpr double rate = 1e-4;
  return measure(arguments.repeats, [&] { static_cast<void>(step.run(batch, optimizer, rate)); });
}

// What a model was calibrated with, or the noise itself.
std::optional<Ranges> find_ranges(const Network& network, const Arguments& arguments, const data::Batch& batch) {
  if (!arguments.model.empty()) return ranges_for(arguments.model, arguments.device.precision);
  if (arguments.device.precision != Precision::int8) return std::nullopt;
  Calibration calibration(network);
  calibration.add(data::values_of(batch), {batch.images, batch.height, batch.width, batch.bands});
  return calibration.ranges();
}

std::vector<double> measure_inference(const Network& network, const Arguments& arguments) {
  const data::Batch batch = data::random_batch(arguments.batch, arguments.size, network.graph().input.bands, 1);
  Predictor predictor(network, find_ranges(network, arguments, batch));
  return measure(arguments.repeats, [&] {
    static_cast<void>(
        predictor.probabilities_of_normalized(data::values_of(batch), arguments.batch, arguments.size, arguments.size));
  });
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int run_bench(const Arguments& arguments) {
  if (arguments.work == "train" && arguments.device.precision == Precision::int8) {
    throw usage_error("--precision int8 is for inference; choose another to train");
  }
  kernels::Stream stream = make_stream(arguments.device, arguments.threads);
  Network network = make_network(arguments, stream);
  const int multiple = size_multiple(network.graph());
  if (arguments.size % multiple != 0) {
    throw usage_error("--size {}: this network takes multiples of {}", arguments.size, multiple);
  }
  const std::vector<double> seconds =
      arguments.work == "train" ? measure_training(network, arguments) : measure_inference(network, arguments);
  const double median = seconds[seconds.size() / 2];
  nlohmann::ordered_json report{{"work", arguments.work},
                                {"size", arguments.size},
                                {"batch", arguments.batch},
                                {"device", describe_device(stream, arguments.device.precision)},
                                {"repeats", seconds.size()},
                                {"milliseconds", median * 1e3},
                                {"fastest_milliseconds", seconds.front() * 1e3},
                                {"slowest_milliseconds", seconds.back() * 1e3},
                                {"images_per_second", arguments.batch / median},
                                {"peak_mebibytes", peak_mebibytes()}};
  if (arguments.json) {
    fmt::print("{}\n", report.dump());
    return 0;
  }
  fmt::print("{}, {}x{}, batch {}: {:.2f} ms ({:.2f} to {:.2f}), {:.2f} images/s, {:.0f} MiB at most; {}\n",
             arguments.work == "train" ? "training step" : "inference", arguments.size, arguments.size, arguments.batch,
             median * 1e3, seconds.front() * 1e3, seconds.back() * 1e3, arguments.batch / median,
             report["peak_mebibytes"].get<double>(), report["device"].get<std::string>());
  return 0;
}

}  // namespace

void add_bench_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("bench", "Measure a network's training step or inference on noise");
  command->add_option("work", arguments->work, "train: forward, loss, backward, AdamW; infer: pixels to probabilities")
      ->required()
      ->check(CLI::IsMember({"train", "infer"}));
  auto* model = command->add_option("--model", arguments->model, "The network; a classic U-Net if none is given");
  command->add_option("--base", arguments->network.base, "Width of the classic U-Net's first level")->excludes(model);
  command->add_option("--bands", arguments->network.bands, "Its bands")->excludes(model);
  command->add_option("--size", arguments->size, "Edge of the images in pixels")->check(CLI::Range(1, 8192));
  command->add_option("--batch", arguments->batch, "Images at a time")->check(CLI::Range(1, 4096));
  command->add_option("--repeats", arguments->repeats, "Steps that count, after three that do not")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--threads", arguments->threads, "Of the CPU; 0: OMP_NUM_THREADS or all cores")
      ->check(CLI::Range(0, 1024));
  command->add_flag("--json", arguments->json, "Print the figures as JSON");
  add_device_options(*command, arguments->device);
  command->footer("Example: plume bench infer --base 32 --size 256 --batch 1");
  command->callback([arguments, &action] { action = [arguments] { return run_bench(*arguments); }; });
}

}  // namespace plume::unet

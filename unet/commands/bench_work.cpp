// Networks on noise.
#include "unet/commands/bench_work.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "data/loading/random_batch.hpp"
#include "kernels/base/error.hpp"
#include "nn/initialize.hpp"
#include "nn/optimizer.hpp"
#include "unet/calibrate.hpp"
#include "unet/config.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/predict.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

data::Batch noise(const BenchSettings& settings, const Network& network) {
  return data::random_batch(settings.batch, settings.size, network.graph().input.bands, 1);
}

Config config_of(const BenchSettings& settings) {
  Config config;
  config.train.batch = settings.batch;
  config.train.device = settings.device;
  return config;
}

// All that a training step keeps from one to the next.
struct Training {
  Config config;
  nn::Optimizer optimizer;
  TrainingStep step;
  data::Batch batch;

  Training(const BenchSettings& settings, Network& network)
      : config(config_of(settings)),
        optimizer(config.optimizer, network.parameters()),
        step(network, config, settings.size, settings.size),
        batch(noise(settings, network)) {}
};

std::function<void()> training_of(const BenchSettings& settings, Network& network) {
  constexpr double rate = 1e-4;
  return [training = std::make_shared<Training>(settings, network)] {
    static_cast<void>(training->step.run(training->batch, training->optimizer, rate));
  };
}

// What a model was calibrated with, or else the noise itself.
std::optional<Ranges> find_ranges(const BenchSettings& settings, const Network& network, const data::Batch& batch) {
  if (!settings.model.empty()) return ranges_for(settings.model, settings.device.precision);
  if (settings.device.precision != Precision::int8) return std::nullopt;
  Calibration calibration(network);
  calibration.add(data::values_of(batch), {batch.images, batch.height, batch.width, batch.bands});
  return calibration.ranges();
}

std::function<void()> inference_of(const BenchSettings& settings, const Network& network) {
  const data::Batch batch = noise(settings, network);
  const auto predictor = std::make_shared<Predictor>(network, find_ranges(settings, network, batch));
  return [predictor, batch] {
    static_cast<void>(
        predictor->probabilities_of_normalized(data::values_of(batch), batch.images, batch.height, batch.width));
  };
}

}  // namespace

kernels::Stream bench_stream(const BenchSettings& settings, int gpu) {
  if (settings.kind == BenchSettings::Kind::train && settings.device.precision == Precision::int8) {
    throw usage_error("--precision int8 is for inference; choose another to train");
  }
  return make_stream(settings.device, settings.threads, gpu);
}

Network bench_network(const BenchSettings& settings, kernels::Stream& stream) {
  const DType dtype = element_type(settings.device.precision);
  Network network = settings.model.empty() ? Network(build_graph(settings.network), dtype, Fusion::on, &stream)
                                           : load_model(settings.model, dtype, &stream, nn::Gradients::yes);
  const int multiple = size_multiple(network.graph());
  if (settings.size % multiple != 0) {
    throw usage_error("--size {}: this network takes multiples of {}", settings.size, multiple);
  }
  if (settings.model.empty()) nn::initialize(network.parameters(), nn::Initializer::he, 1);
  return settings.kind == BenchSettings::Kind::train ? std::move(network) : fold_norms(network);
}

BenchWork::BenchWork(const BenchSettings& settings)
    : stream_(bench_stream(settings)), network_(bench_network(settings, stream_)) {
  body_ =
      settings.kind == BenchSettings::Kind::train ? training_of(settings, network_) : inference_of(settings, network_);
}

std::string describe(const BenchSettings& settings) {
  return fmt::format("{}, {}x{}, batch {}", settings.kind == BenchSettings::Kind::train ? "training step" : "inference",
                     settings.size, settings.size, settings.batch);
}

}  // namespace plume::unet

// Training steps of a small network on either device, for tests that compare them.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "data/loading/random_batch.hpp"
#include "nn/initialize.hpp"
#include "unet/inference/device.hpp"
#include "unet/training_step.hpp"

namespace plume::tests {

constexpr int device_edge = 16;
constexpr int device_bands = 3;

constexpr unet::DeviceSettings cpu{unet::DeviceKind::cpu, unet::Precision::f32};
constexpr unet::DeviceSettings cuda{unet::DeviceKind::cuda, unet::Precision::f32};

inline data::Batch drawn_batch(int images, std::uint64_t seed) {
  return data::random_batch(images, device_edge, device_bands, seed);
}

inline unet::Config device_config(unet::Family family, unet::DeviceSettings device) {
  unet::Config config;
  config.model = {family, device_bands, 1, 4, 2, unet::Up::transposed, 8};
  config.train.batch = 2;
  config.train.device = device;
  config.loss.dice = 1;
  config.optimizer.clip_norm = 0.5;
  return config;
}

// A network and all that trains it.
class SmallTraining {
 public:
  explicit SmallTraining(const unet::Config& config)
      : config_(config),
        stream_(unet::make_stream(config.train.device, 2)),
        network_(unet::build_graph(config.model), unet::element_type(config.train.device.precision), unet::Fusion::on,
                 &stream_),
        optimizer_(config.optimizer, network_.parameters()),
        step_(network_, config_, device_edge, device_edge) {
    nn::initialize(network_.parameters(), nn::Initializer::he, 1);
  }
  SmallTraining(const SmallTraining&) = delete;
  SmallTraining& operator=(const SmallTraining&) = delete;

  double run(const data::Batch& batch) { return step_.run(batch, optimizer_, rate); }
  void put(const data::Batch& batch) { step_.put(batch); }
  double start_and_finish() {
    step_.start(optimizer_, rate);
    return step_.finish();
  }

  [[nodiscard]] std::vector<nn::NamedTensor> gradients() const {
    std::vector<nn::NamedTensor> all;
    for (const auto& info : network_.parameters().all()) {
      if (info.kind != nn::ParameterKind::statistic) all.push_back(network_.parameters().gradient_to_named(info));
    }
    return all;
  }
  // Running statistics too.
  [[nodiscard]] std::vector<nn::NamedTensor> parameters() const {
    std::vector<nn::NamedTensor> all;
    for (const auto& info : network_.parameters().all()) all.push_back(network_.parameters().to_named(info));
    return all;
  }
  [[nodiscard]] const unet::TrainingStep& step() const { return step_; }
  [[nodiscard]] unet::TrainingStep& step() { return step_; }
  [[nodiscard]] const nn::Optimizer& optimizer() const { return optimizer_; }

 private:
  static constexpr double rate = 1e-2;

  unet::Config config_;
  kernels::Stream stream_;
  unet::Network network_;
  nn::Optimizer optimizer_;
  unet::TrainingStep step_;
};

}  // namespace plume::tests

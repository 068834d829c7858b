// What `plume bench` measures: a training step or an inference on noise.
#pragma once

#include <functional>
#include <string>

#include "kernels/stream.hpp"
#include "unet/families.hpp"
#include "unet/inference/device.hpp"
#include "unet/inference/network.hpp"

namespace plume::unet {

// Runs before any are measured: on CUDA the second step is recorded, the third replayed for the first time.
inline constexpr int warm_up = 3;

struct BenchSettings {
  enum class Kind { train, infer };
  Kind kind = Kind::train;
  std::string model;      // a file; empty: a classic U-Net
  ModelSettings network;  // of that
  int size = 256;
  int batch = 1;
  int repeats = 10;
  int threads = 0;
  DeviceSettings device;
};

// What `settings` ask for, with weights that are the same in every process. Throws usage_error where a training is to be in int8.
[[nodiscard]] kernels::Stream bench_stream(const BenchSettings& settings, int gpu = 0);
// Throws usage_error where the network does not take images of the size.
[[nodiscard]] Network bench_network(const BenchSettings& settings, kernels::Stream& stream);

// Ready to be repeated.
class BenchWork {
 public:
  // With int8 and no model, calibrated on the noise. Throws as the two above.
  explicit BenchWork(const BenchSettings& settings);
  BenchWork(const BenchWork&) = delete;
  BenchWork& operator=(const BenchWork&) = delete;

  void run() { body_(); }
  [[nodiscard]] kernels::Stream& stream() { return stream_; }
  [[nodiscard]] const Network& network() const { return network_; }

 private:
  kernels::Stream stream_;
  Network network_;
  std::function<void()> body_;
};

// "training step, 256x256, batch 1"
[[nodiscard]] std::string describe(const BenchSettings& settings);

}  // namespace plume::unet

// What models compute on: the CPU's cores, or a GPU that does one thing at a time.
#pragma once

#include <mutex>
#include <string>
#include <variant>

#include "kernels/stream.hpp"
#include "unet/inference/device.hpp"

namespace plume::serve {

class Device {
 public:
  // threads: of the CPU for a request that is alone; 0: all cores. Throws as unet::make_stream does.
  Device(const unet::DeviceSettings& settings, int threads)
      : precision_(settings.precision), convolutions_(settings.conv), stream_(unet::make_stream(settings, threads)) {}

  // What models share; null on the CPU, where each predictor has a stream of its own.
  [[nodiscard]] kernels::Stream* shared_stream() { return is_gpu() ? &stream_ : nullptr; }
  [[nodiscard]] bool is_gpu() const { return std::holds_alternative<kernels::CudaStream>(stream_); }
  [[nodiscard]] int threads() const { return is_gpu() ? 1 : std::get<kernels::CpuStream>(stream_).threads(); }
  [[nodiscard]] kernels::ConvPolicy convolutions() const { return convolutions_; }
  [[nodiscard]] unet::Precision precision() const { return precision_; }
  [[nodiscard]] std::string describe() const { return unet::describe_device(stream_, precision_); }

  // To be held while a network is made or run; on the CPU it holds up no one.
  [[nodiscard]] std::unique_lock<std::mutex> turn() {
    return is_gpu() ? std::unique_lock(mutex_) : std::unique_lock<std::mutex>();
  }

 private:
  unet::Precision precision_;
  kernels::ConvPolicy convolutions_;
  kernels::Stream stream_;
  std::mutex mutex_;
};

}  // namespace plume::serve

// A model in use: its network, and as many predictors as compute at a time.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/stream.hpp"
#include "unet/inference/device.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/predict.hpp"
#include "unet/inference/ranges.hpp"

namespace plume::serve {

class Model {
 public:
  // From a .safetensors, or the only one in a folder. threads: of the CPU for a request that is alone; 0: all.
  // Throws input_error naming what is missing or damaged, environment_error without the device.
  Model(const std::filesystem::path& path, const unet::DeviceSettings& device, int threads);

  [[nodiscard]] const unet::Graph& graph() const { return network_->graph(); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // The device in use, for people.
  [[nodiscard]] std::string device() const;
  // How many may call predict() at a time without waiting for each other: on a GPU one.
  [[nodiscard]] bool one_at_a_time() const { return std::holds_alternative<kernels::CudaStream>(*stream_); }

  // pixels [images, height, width, bands] as stored in files; the result is [images, height, width, classes].
  // alone: on all threads, else on one. Safe to call from several threads.
  [[nodiscard]] std::vector<float> predict(const float* pixels, int images, int height, int width, bool alone);

  // Answers one tile, so that the first request finds all memory in place.
  void warm_up();

 private:
  struct Slot {
    unet::Predictor predictor;
    std::set<std::tuple<int, int, int>> shapes{};  // that it has planned its memory for
  };
  [[nodiscard]] std::unique_ptr<Slot> take();
  void give_back(std::unique_ptr<Slot> slot);

  std::filesystem::path path_;
  unet::DeviceSettings device_;
  std::unique_ptr<kernels::Stream> stream_;
  std::optional<unet::Network> network_;
  std::optional<unet::Ranges> ranges_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> free_;
};

}  // namespace plume::serve

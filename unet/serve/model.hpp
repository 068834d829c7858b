// A model in use: its network, and as many predictors as compute at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "unet/inference/find_model.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/predict.hpp"
#include "unet/inference/ranges.hpp"
#include "unet/serve/device.hpp"

namespace plume::serve {

class Model {
 public:
  // From a .safetensors, or a folder with one (unet/inference/find_model.hpp). The device must outlive it.
  // Throws input_error naming what is missing or damaged.
  Model(const std::filesystem::path& path, Device& device, const unet::PredictionSettings& prediction);

  [[nodiscard]] const unet::Graph& graph() const { return network_.graph(); }
  // What images are padded to.
  [[nodiscard]] int size_multiple() const { return size_multiple_; }
  [[nodiscard]] const std::filesystem::path& path() const { return found_.file; }
  // Above which probability there is smoke, where what lies beside the model says so.
  [[nodiscard]] std::optional<float> threshold() const { return found_.threshold; }

  // pixels [images, height, width, bands] as stored in files; the result is [images, height, width, classes].
  // alone: on all of the device's threads if it is much work, else on one. Safe to call from several threads.
  [[nodiscard]] std::vector<float> predict(const float* pixels, int images, int height, int width, bool alone);

  // To be called once, before others: answers one tile, so that the first request finds all memory in place.
  void warm_up();

 private:
  struct Slot {
    unet::Predictor predictor;
    std::set<std::tuple<int, int, int>> shapes{};  // that it has planned its memory for
  };
  [[nodiscard]] std::unique_ptr<Slot> take();
  void give_back(std::unique_ptr<Slot> slot);

  unet::FoundModel found_;
  Device& device_;
  unet::PredictionSettings prediction_;
  unet::Network network_;
  int size_multiple_;
  std::optional<unet::Ranges> ranges_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Slot>> free_;
  std::atomic<std::size_t> most_kept_{std::numeric_limits<std::size_t>::max()};  // bytes of a step
};

}  // namespace plume::serve

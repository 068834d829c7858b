// Loading a model, and lending predictors out.
#include "unet/serve/model.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"

namespace plume::serve {
namespace {

namespace fs = std::filesystem;

constexpr int warm_up_size = 256;
// Pixels of which two threads make shorter work than one that has no other to wait for: measured with the tutorial's model.
constexpr std::int64_t worth_sharing = 160 * 160;
// A predictor keeps a plan of its memory per shape, and as much as its largest step took. One that has seen more is replaced, so
// that what a server keeps has a bound.
constexpr std::size_t most_shapes = 32;
constexpr std::size_t least_kept = std::size_t{64} << 20;

unet::Network load_network(const fs::path& path, Device& device) {
  const auto turn = device.turn();
  return unet::fold_norms(unet::load_model(path, unet::element_type(device.precision()), device.shared_stream()));
}

}  // namespace

Model::Model(const fs::path& path, Device& device, const unet::PredictionSettings& prediction)
    : found_(unet::find_model(path)),
      device_(device),
      prediction_(prediction),
      network_(load_network(found_.file, device)),
      size_multiple_(unet::size_multiple(network_.graph())),
      ranges_(unet::ranges_for(found_.file, device.precision())) {}

std::unique_ptr<Model::Slot> Model::take() {
  {
    const std::scoped_lock lock(mutex_);
    if (!free_.empty()) {
      auto slot = std::move(free_.back());
      free_.pop_back();
      return slot;
    }
  }
  std::unique_ptr<Slot> slot(new Slot{{network_, ranges_, device_.threads(), device_.convolutions()}});
  slot->predictor.average_over(prediction_.test_time);
  slot->predictor.set_tiles(prediction_.tiles);
  return slot;
}

void Model::give_back(std::unique_ptr<Slot> slot) {
  if (slot->shapes.size() > most_shapes || slot->predictor.largest_step() > most_kept_) return;
  const std::scoped_lock lock(mutex_);
  free_.push_back(std::move(slot));
}

std::vector<float> Model::predict(const float* pixels, int images, int height, int width, bool alone) {
  const auto turn = device_.turn();
  auto slot = take();
  slot->shapes.emplace(images, height, width);
  const bool large = std::int64_t{images} * height * width >= worth_sharing;
  slot->predictor.use_threads(alone && large ? device_.threads() : 1);
  // A predictor whose work failed is not used again.
  auto probability = slot->predictor.probabilities(pixels, images, height, width);
  give_back(std::move(slot));
  return probability;
}

void Model::warm_up() {
  const auto values = static_cast<std::size_t>(warm_up_size * warm_up_size * graph().input.bands);
  const std::vector<float> tile(values);
  static_cast<void>(predict(tile.data(), 1, warm_up_size, warm_up_size, false));
  const std::scoped_lock lock(mutex_);
  most_kept_ = std::max(least_kept, 2 * free_.back()->predictor.largest_step());
}

}  // namespace plume::serve

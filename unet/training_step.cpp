// The body of the training loop.
#include "unet/training_step.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "nn/loss.hpp"
#include "nn/tape.hpp"

namespace plume::unet {

TrainingStep::TrainingStep(Network& network, const Config& config, int height, int width)
    : network_(network),
      config_(config),
      height_(config.train.crop > 0 ? config.train.crop : height),
      width_(config.train.crop > 0 ? config.train.crop : width),
      stream_(kernels::CpuStream(config.train.threads)) {}

double TrainingStep::run(const data::Batch& batch, nn::Optimizer& optimizer, double rate) {
  network_.parameters().zero_gradients();
  const int part = config_.train.batch / config_.train.accumulate;
  double loss = 0;
  for (int first = 0; first < batch.images; first += part) {
    const int last = std::min(first + part, batch.images);
    const double share = static_cast<double>(last - first) / batch.images;
    loss += share * run_part(&batch, first, last, share, false);
  }
  optimizer.step(network_.parameters(), rate, stream_);
  return loss;
}

double TrainingStep::run_part(const data::Batch* batch, int first, int last, double scale, bool dry) {
  const int images = last - first;
  const InputSpec& input = network_.graph().input;
  const nn::ArenaStep step(arena_, fmt::format("train {}x{}x{}", images, height_, width_), dry);
  nn::Tape tape;
  const nn::Context context{stream_, arena_, &tape, true, dry};
  const nn::Shape shape{images, height_, width_, input.bands};
  nn::Block memory = arena_.allocate(shape.count() * sizeof(float), "images");
  const nn::Tensor x(shape, DType::f32, "images", std::move(memory), false);
  const auto pixels =
      static_cast<std::size_t>(first) * static_cast<std::size_t>(height_) * static_cast<std::size_t>(width_);
  const std::uint8_t* labels = nullptr;
  if (!dry) {
    std::memcpy(x.data<float>(), batch->pixels.data() + pixels * static_cast<std::size_t>(input.bands), x.bytes());
    labels = batch->labels.data() + pixels;
  }
  const nn::Tensor logits = network_(context, x);
  const double loss = nn::loss(context, logits, {labels, nullptr}, config_.loss, scale);
  nn::backward(context, tape);
  return loss;
}

std::string TrainingStep::describe_memory() {
  const int part = config_.train.batch / config_.train.accumulate;
  static_cast<void>(run_part(nullptr, 0, part, 1, true));
  return nn::describe(*arena_.plan(fmt::format("train {}x{}x{}", part, height_, width_)), 12);
}

}  // namespace plume::unet

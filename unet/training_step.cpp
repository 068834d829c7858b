// The body of the training loop.
#include "unet/training_step.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <variant>

#include "kernels/base/error.hpp"
#include "kernels/memory.hpp"
#include "nn/loss.hpp"
#include "nn/tape.hpp"
#include "unet/inference/padding.hpp"
#include "unet/not_finite.hpp"

namespace plume::unet {

namespace {

// CUDA has the memory, and would pay with a pass over it.
bool recomputes(const TrainSettings& settings, const kernels::Stream& stream) {
  if (settings.recompute != Recompute::automatic) return settings.recompute == Recompute::always;
  return settings.device.kind != DeviceKind::cuda && std::holds_alternative<kernels::CpuStream>(stream);
}

}  // namespace

TrainingStep::TrainingStep(Network& network, const Config& config, int height, int width, GradientExchange* exchange)
    : network_(network),
      config_(config),
      height_(config.train.crop > 0 ? config.train.crop : height),
      width_(config.train.crop > 0 ? config.train.crop : width),
      multiple_(size_multiple(network.graph())),
      own_stream_(network.stream() ? std::nullopt
                                   : std::optional<kernels::Stream>(
                                         kernels::CpuStream(config.train.threads, config.train.device.conv))),
      stream_(network.stream() ? *network.stream() : *own_stream_),
      recompute_(recomputes(config.train, stream_)),
      arena_(&stream_),
      losses_(&stream_, static_cast<std::size_t>(config.train.accumulate) * heads() * sizeof(double), "losses"),
      statistics_before_(&stream_, network.parameters().statistics_size() * sizeof(float), "earlier statistics"),
      exchange_(exchange) {
  if (!config.class_weights.empty()) {
    class_weights_ = floats_of({config.class_weights.begin(), config.class_weights.end()}, "the classes' weights");
  }
  if (exchange_) graph_refusal_ = exchange_->graph_refusal();
}

nn::Buffer TrainingStep::floats_of(const std::vector<float>& values, std::string_view purpose) {
  nn::Buffer buffer(&stream_, values.size() * sizeof(float), purpose);
  buffer.write(0, values.data(), buffer.size());
  return buffer;
}

void TrainingStep::use_soft_labels(const std::vector<float>& targets) {
  soft_ = floats_of(targets, "the labels' targets");
}

int TrainingStep::share() const {
  const int ranks = exchange_ ? exchange_->ranks() : 1;
  return (config_.train.batch + ranks - 1) / ranks;
}

int TrainingStep::part() const {
  return (share() + config_.train.accumulate - 1) / config_.train.accumulate;
}

double TrainingStep::run(const data::Batch& batch, nn::Optimizer& optimizer, double rate) {
  put(batch);
  start(optimizer, rate);
  return finish();
}

void TrainingStep::put(const data::Batch& batch) {
  put_.push_back({batch.images, batch.total});
  if (batch.images == 0) return;
  if (!input_) {
    input_.emplace(stream_, nn::Shape{share(), height_, width_, network_.graph().input.bands}, multiple_, batch,
                   network_.dtype());
  }
  input_->put(batch);
}

void TrainingStep::start(nn::Optimizer& optimizer, double rate) {
  started_ = put_.front();
  put_.pop_front();
  if (started_.images > 0) input_->take();
  optimizer.prepare(rate);
  auto* cuda = std::get_if<kernels::CudaStream>(&stream_);
  plan_parts(started_.images);
  const bool known = !recordings_.try_emplace({started_.images, started_.total}).second;
  if (cuda && known && config_.train.cuda_graph && graph_refusal_.empty()) {
    replay(*cuda, started_, optimizer);
  } else {
    queue(started_, optimizer);
  }
}

double TrainingStep::finish() {
  if (exchange_) exchange_->settle();
  std::vector<double> losses(static_cast<std::size_t>(config_.train.accumulate) * heads());
  losses_.read(losses.data(), 0, losses.size() * sizeof(double));
  std::vector<int> heights;
  for (std::size_t head = 0; head < heads(); ++head) heights.push_back(round_up(height_, multiple_) >> head);
  const std::vector<double> weights = nn::deep_loss_weights(heights);
  double loss = 0;
  for_parts(started_.images, [&](int index, int, int count) {
    const double* own = losses.data() + static_cast<std::size_t>(index) * heads();
    loss += static_cast<double>(count) / started_.total * std::inner_product(weights.begin(), weights.end(), own, 0.0);
  });
  return loss;
}

void TrainingStep::replay(kernels::CudaStream& stream, const Put& batch, nn::Optimizer& optimizer) {
  std::optional<Recording>& recording = recordings_.at({batch.images, batch.total});
  if (recording && (recording->slab != arena_.slab() || recording->optimizer != &optimizer)) recording.reset();
  if (!recording) {
    try {
      recording = Recording{kernels::StreamGraph(stream, [&] { queue(batch, optimizer); }), arena_.slab(), &optimizer};
    } catch (const Error& error) {
      if (exchange_) throw;  // others have recorded it, and would wait for this rank in the replay
      graph_refusal_ = error.what();
      return queue(batch, optimizer);
    }
  }
  recording->graph.launch(stream);
  ++replays_;
}

std::string TrainingStep::key(int images) const {
  return fmt::format("train {}x{}x{}", images, height_, width_);
}

void TrainingStep::for_parts(int images, const std::function<void(int index, int first, int count)>& body) const {
  int index = 0;
  for (int first = 0; first < images; first += part()) body(index++, first, std::min(part(), images - first));
}

// Every part has its plan before it runs: on CUDA the heap is slow, and what it gave must not be freed while queued
// work uses it; on the CPU each piece of it would come with page faults of its own.
void TrainingStep::plan_parts(int images) {
  for_parts(images, [&](int index, int first, int count) {
    if (arena_.plan(key(count)) == nullptr) queue_part(index, first, count, 1, true, false);
  });
}

void TrainingStep::queue(const Put& batch, nn::Optimizer& optimizer) {
  copy_statistics(statistics_before_.data(), network_.parameters().statistics<std::byte>());
  for_parts(batch.images, [&](int index, int first, int count) {
    queue_part(index, first, count, static_cast<double>(count) / batch.total, false, first + count == batch.images);
  });
  nn::Parameters& parameters = network_.parameters();
  if (batch.images == 0) {
    const std::size_t bytes = parameters.flat_size() * size_of(parameters.dtype());
    std::visit([&](auto& stream) { kernels::fill_zero(parameters.gradients<std::byte>(), bytes, stream); }, stream_);
  }
  if (exchange_) exchange_->finish();
  optimizer.update(parameters, stream_);
}

void TrainingStep::queue_part(int index, int first, int count, double scale, bool dry, bool last) {
  const nn::ArenaStep step(arena_, key(count), dry);
  nn::Tape tape;
  const nn::Context context{.stream = stream_,
                            .arena = arena_,
                            .tape = &tape,
                            .training = true,
                            .dry = dry,
                            .recompute = recompute_,
                            .across = exchange_ ? exchange_->across() : nullptr,
                            .accumulate = index > 0};
  const nn::Shape shape = padded_shape({count, height_, width_, network_.graph().input.bands}, multiple_);
  const nn::Tensor x =
      dry ? nn::Tensor(shape, network_.dtype(), "images", nullptr, nullptr) : input_->images(first, count);
  const std::vector<nn::Tensor> logits = network_.with_heads(context, x);
  const std::uint8_t* labels = dry ? nullptr : input_->labels(first);
  nn::deep_loss(context, reinterpret_cast<double*>(losses_.data()) + static_cast<std::size_t>(index) * heads(), logits,
                {labels, nullptr, class_weights_.data(), soft_.data()}, config_.loss, scale);
  nn::GradientObserver written;
  if (exchange_ && last) written = [this](const nn::Tensor& parameter) { exchange_->written(parameter); };
  nn::backward(context, tape, written);
}

void TrainingStep::copy_statistics(std::byte* to, const std::byte* from) {
  std::visit([&](auto& stream) { kernels::copy_bytes(to, from, statistics_before_.size(), stream); }, stream_);
}

void TrainingStep::undo_statistics() {
  copy_statistics(network_.parameters().statistics<std::byte>(), statistics_before_.data());
}

std::string TrainingStep::not_finite() {
  if (started_.images == 0) return "another rank's values";
  return find_not_finite(network_, stream_, input_->images(0, started_.images));
}

std::string TrainingStep::describe_memory() {
  queue_part(0, 0, part(), 1, true, false);
  return nn::describe(*arena_.plan(key(part())), 12);
}

std::string memory_table(TrainingStep& step, const nn::Optimizer& optimizer, const nn::Parameters& parameters) {
  const std::size_t rounded = parameters.rounded() ? sizeof(bf16) : 0;
  std::size_t bytes = (2 * sizeof(float) + rounded) * parameters.flat_size();
  for (const auto& state : optimizer.state()) bytes += state.bytes.size();
  return step.describe_memory() +
         fmt::format("{:>10.2f}  parameters, gradients and optimiser\n", static_cast<double>(bytes) / 1048576);
}

}  // namespace plume::unet

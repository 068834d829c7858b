// Whole networks on the GPU in bf16: training steps, inference, latency, and the memory that they take. Steps are replayed
// from a recording and read a batch that is on the device already, as the peer's do; one benchmark copies it each time.
#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/loading/random_batch.hpp"
#include "kernels/cuda/graph.hpp"
#include "nn/initialize.hpp"
#include "nn/loss.hpp"
#include "nn/ops/ops.hpp"
#include "nn/optimizer.hpp"
#include "nn/tape.hpp"
#include "nn/transfer.hpp"
#include "unet/inference/device.hpp"
#include "unet/training_step.hpp"
#include "work.hpp"

namespace plume::bench {
namespace {

constexpr unet::DeviceSettings device{unet::DeviceKind::cuda, unet::Precision::bf16};
constexpr double rate = 1e-3;

std::size_t free_bytes() {
  std::size_t free = 0;
  std::size_t total = 0;
  static_cast<void>(cudaMemGetInfo(&free, &total));
  return free;
}

unet::ModelSettings model(const Work& work, int base) {
  unet::ModelSettings settings;
  settings.bands = work.bands;
  settings.base = base;
  return settings;
}

// A network on the device with a batch in its memory, and a recording of what is done with them.
class DeviceNetwork {
 public:
  DeviceNetwork(const Work& work, int base, int images)
      : stream_(unet::make_stream(device, 0)),
        network_(unet::build_graph(model(work, base)), DType::bf16, unet::Fusion::on, &stream_),
        arena_(&stream_),
        shape_{images, work.edge, work.edge, work.bands},
        pixels_(&stream_, shape_.count() * sizeof(bf16), "images") {
    nn::initialize(network_.parameters(), nn::Initializer::he, 1);
    const data::Batch batch = data::random_batch(images, work.edge, work.bands, 1);
    nn::upload(images_(), data::values_of(batch), stream_);
  }
  DeviceNetwork(const DeviceNetwork&) = delete;
  DeviceNetwork& operator=(const DeviceNetwork&) = delete;
  virtual ~DeviceNetwork() = default;

  virtual void launch() { recording_->launch(cuda()); }
  void wait() { cuda().synchronize(); }

 protected:
  virtual void queue(bool dry) = 0;

  // Plans memory, runs once, records.
  void record() {
    queue(true);
    queue(false);
    wait();
    recording_.emplace(cuda(), [&] { queue(false); });
  }
  [[nodiscard]] nn::Tensor images_() const { return {shape_, DType::bf16, "images", pixels_.data(), nullptr}; }
  kernels::CudaStream& cuda() { return std::get<kernels::CudaStream>(stream_); }

  kernels::Stream stream_;
  unet::Network network_;
  nn::Arena arena_;
  nn::Shape shape_;
  nn::Buffer pixels_;

 private:
  std::optional<kernels::StreamGraph> recording_;
};

class Training : public DeviceNetwork {
 public:
  Training(const Work& work, int base)
      : DeviceNetwork(work, base, work.batch),
        optimizer_(nn::OptimizerSettings{}, network_.parameters()),
        labels_(&stream_, shape_.count() / static_cast<std::size_t>(work.bands), "labels"),
        loss_(&stream_, sizeof(double), "loss") {
    const data::Batch batch = data::random_batch(work.batch, work.edge, work.bands, 1);
    labels_.write(0, batch.labels.data(), batch.labels.size());
    wait();
    optimizer_.prepare(rate);
    record();
  }
  void launch() override {
    optimizer_.prepare(rate);
    DeviceNetwork::launch();
  }

 private:
  void queue(bool dry) override {
    {
      const nn::ArenaStep step(arena_, "train", dry);
      nn::Tape tape;
      const nn::Context context{.stream = stream_, .arena = arena_, .tape = &tape, .training = true, .dry = dry};
      const nn::Tensor logits = network_(context, images_());
      const auto* labels = reinterpret_cast<const std::uint8_t*>(labels_.data());
      nn::loss(context, reinterpret_cast<double*>(loss_.data()), logits, {labels, nullptr}, nn::LossSettings{});
      nn::backward(context, tape);
    }
    if (!dry) optimizer_.update(network_.parameters(), stream_);
  }

  nn::Optimizer optimizer_;
  nn::Buffer labels_;
  nn::Buffer loss_;
};

class Inference : public DeviceNetwork {
 public:
  Inference(const Work& work, int base, int images) : DeviceNetwork(work, base, images) { record(); }

 private:
  void queue(bool dry) override {
    const nn::ArenaStep step(arena_, "infer", dry);
    const nn::Context context{.stream = stream_, .arena = arena_, .dry = dry};
    benchmark::DoNotOptimize(nn::sigmoid(context, network_(context, images_())));
  }
};

// The median time of `body`, in seconds, over the benchmark's iterations.
template <class Body>
double median_seconds(benchmark::State& state, const Body& body) {
  body();  // clocks and caches
  std::vector<double> times;
  for ([[maybe_unused]] auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    body();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    state.SetIterationTime(times.back());
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

// The host waits once for ten, as a training that reports its loss now and then.
void measure(benchmark::State& state, DeviceNetwork& network, const Work& work, std::size_t free_before) {
  const int in_a_row = work.quick ? 1 : 10;
  const double seconds = median_seconds(state, [&] {
    for (int i = 0; i < in_a_row; ++i) network.launch();
    network.wait();
  });
  state.counters["images_per_second"] = in_a_row * work.batch / seconds;
  state.counters["bytes_per_image"] = static_cast<double>(free_before - free_bytes()) / work.batch;
}

void train(benchmark::State& state, const Work& work, int base) {
  const std::size_t before = free_bytes();
  Training training(work, base);
  measure(state, training, work, before);
}

void infer(benchmark::State& state, const Work& work, int base) {
  const std::size_t before = free_bytes();
  Inference inference(work, base, work.batch);
  measure(state, inference, work, before);
}

void latency(benchmark::State& state, const Work& work, int base) {
  Inference inference(work, base, 1);
  const double seconds = median_seconds(state, [&] {
    inference.launch();
    inference.wait();
  });
  state.counters["milliseconds"] = 1e3 * seconds;
}

// As `plume train`: each batch is copied from the host beside the step before, and each loss is waited for.
void train_from_host(benchmark::State& state, const Work& work, int base) {
  unet::Config config;
  config.model = model(work, base);
  config.train.batch = work.batch;
  config.train.device = device;
  kernels::Stream stream = unet::make_stream(device, 0);
  unet::Network network(unet::build_graph(config.model), DType::bf16, unet::Fusion::on, &stream);
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  nn::Optimizer optimizer(config.optimizer, network.parameters());
  unet::TrainingStep step(network, config, work.edge, work.edge);
  const data::Batch batch = data::random_batch(work.batch, work.edge, work.bands, 1);
  for (int i = 0; i < 2; ++i) benchmark::DoNotOptimize(step.run(batch, optimizer, rate));  // eagerly, then recorded
  step.put(batch);
  const double seconds = median_seconds(state, [&] {
    step.start(optimizer, rate);
    step.put(batch);
    benchmark::DoNotOptimize(step.finish());
  });
  state.counters["images_per_second"] = work.batch / seconds;
}

}  // namespace

void register_steps(const Work& work) {
  const auto add = [&](const char* name, auto* body, int base, int iterations) {
    add_benchmark(std::string(name) + "/base:" + std::to_string(base), work.quick ? 1 : iterations,
                  [=](benchmark::State& state) { body(state, work, base); })
        ->Unit(benchmark::kMillisecond);
  };
  for (const int base : work.bases) {
    add("train", train, base, 20);
    add("infer", infer, base, 20);
    add("latency", latency, base, 200);
    add("train_from_host", train_from_host, base, 20);
  }
}

}  // namespace plume::bench

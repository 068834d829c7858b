// The operations of the widest network on the GPU, level by level, in bf16: convolutions in FLOP/s, what is bound by memory
// in bytes/s that it must move at least. Convolutions go through cuDNN or plume's own kernels as PLUME_CONVOLUTION says.
#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/base/error.hpp"
#include "kernels/base/philox.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/convolution.hpp"
#include "kernels/cuda/measure.hpp"
#include "kernels/input.hpp"
#include "kernels/loss.hpp"
#include "kernels/memory.hpp"
#include "kernels/optimizer.hpp"
#include "kernels/output.hpp"
#include "kernels/pooling.hpp"
#include "unet/inference/device.hpp"
#include "work.hpp"

namespace plume::bench {
namespace {

namespace k = kernels;

// The stream that all layers share, made when the first one runs.
class Device {
 public:
  k::CudaStream& stream() {
    if (!stream_) {
      stream_ = std::make_unique<k::Stream>(unet::make_stream({unet::DeviceKind::cuda, unet::Precision::bf16}, 0));
    }
    return std::get<k::CudaStream>(*stream_);
  }

 private:
  std::unique_ptr<k::Stream> stream_;
};

// Device memory of normal numbers (of T float or bf16) or of bytes 0 and 1.
template <class T>
class Drawn {
 public:
  Drawn(std::size_t count, k::CudaStream& stream) : memory_(k::allocate(count * sizeof(T), stream)) {
    if (!memory_) throw environment_error("no room for {} bytes on the device", count * sizeof(T));
    Philox draw(1, 0);
    std::vector<T> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (i >= period) {
        values[i] = values[i - period];
      } else if constexpr (sizeof(T) == 1) {
        values[i] = static_cast<T>(draw.below(2));
      } else {
        values[i] = static_cast<T>(draw.normal());
      }
    }
    k::upload(memory_.data(), values.data(), count * sizeof(T), stream);
    stream.synchronize();
  }
  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(memory_.data()); }

 private:
  static constexpr std::size_t period =
      999'983;  // to draw more would take most of a benchmark's time; a prime, so rows differ

  k::Memory memory_;
};

struct Level {
  int images;
  int edge;
  int channels;
  [[nodiscard]] std::size_t pixels() const {
    return static_cast<std::size_t>(images) * static_cast<std::size_t>(edge) * static_cast<std::size_t>(edge);
  }
  [[nodiscard]] std::size_t values() const { return pixels() * static_cast<std::size_t>(channels); }
};

class DrawnImage {
 public:
  DrawnImage(const Level& level, k::CudaStream& stream) : level_(level), values_(level.values(), stream) {}
  operator k::Image<bf16>() const {  // NOLINT(google-explicit-constructor)
    return {values_.data(), level_.images, level_.edge, level_.edge, level_.channels};
  }
  operator k::Image<const bf16>() const { return k::Image<bf16>(*this); }  // NOLINT(google-explicit-constructor)

 private:
  Level level_;
  Drawn<bf16> values_;
};

// A benchmark's work, `amount` of FLOPs or bytes each time.
void run(benchmark::State& state, k::CudaStream& stream, const std::string& unit, double amount,
         const std::function<void()>& queue) {
  float milliseconds = 0;
  for ([[maybe_unused]] auto _ : state) {
    milliseconds = k::cuda::measure(queue, stream);
    state.SetIterationTime(static_cast<double>(milliseconds) * 1e-3);
  }
  state.counters[unit] = amount / (static_cast<double>(milliseconds) * 1e-3);
}

void convolution(benchmark::State& state, k::CudaStream& stream, const Level& level, int in_channels,
                 const std::string& direction) {
  const Level in_level{level.images, level.edge, in_channels};
  const DrawnImage x(in_level, stream), y(level, stream);
  const auto weights = static_cast<std::size_t>(9 * in_channels) * static_cast<std::size_t>(level.channels);
  const Drawn<bf16> weight(weights, stream);
  const Drawn<float> gradient(weights, stream);
  const k::ConvGeometry geometry{3, 1, {1, 1, 1, 1}};
  run(state, stream, "flops_per_second", 2.0 * static_cast<double>(weights) * static_cast<double>(level.pixels()), [&] {
    if (direction == "forward") {
      k::conv2d_forward<bf16>(y, k::Image<const bf16>(x), weight.data(), nullptr, geometry, false, stream);
    } else if (direction == "data") {
      k::conv2d_backward_data<bf16>(x, y, weight.data(), {0, in_channels}, geometry, false, stream);
    } else {
      k::conv2d_backward_weight<bf16>(gradient.data(), k::Image<const bf16>(x), y, geometry, false, stream);
    }
  });
}

// Memory passes are counted in bf16 images of the level: what must be read and written at least.
double bytes(const Level& level, double passes) {
  return passes * static_cast<double>(level.values() * sizeof(bf16));
}

void normalize_pool(benchmark::State& state, k::CudaStream& stream, const Level& level) {
  const DrawnImage x(level, stream), y(level, stream), pooled({level.images, level.edge / 2, level.channels}, stream);
  const auto channels = static_cast<std::size_t>(level.channels);
  const Drawn<float> parameters(4 * channels, stream);
  const Drawn<std::uint8_t> index(level.values() / 4, stream);
  float* const mean = parameters.data();
  float* const inverse_std = mean + channels;
  run(state, stream, "bytes_per_second", bytes(level, 3 + 0.25 + 0.125), [&] {
    k::batch_statistics<bf16>(mean, inverse_std, nullptr, nullptr, x, {}, stream);
    k::normalize_pool<bf16>(y, pooled, index.data(), x, mean, inverse_std, inverse_std + channels,
                            inverse_std + 2 * channels, true, stream);
  });
}

void normalize_backward(benchmark::State& state, k::CudaStream& stream, const Level& level) {
  const DrawnImage x(level, stream), grad(level, stream);
  const auto channels = static_cast<std::size_t>(level.channels);
  const Drawn<float> parameters(6 * channels, stream);
  float* const mean = parameters.data();
  const k::NormSaved<bf16> saved{x, mean, mean + channels, mean + 2 * channels, mean + 3 * channels, true};
  run(state, stream, "bytes_per_second", bytes(level, 5), [&] {
    k::normalize_backward<bf16>(grad, mean + 4 * channels, mean + 5 * channels, grad, saved, false, false, stream);
  });
}

void loss(benchmark::State& state, k::CudaStream& stream, const Level& level) {
  const DrawnImage logits(level, stream), grad(level, stream);
  const Drawn<std::uint8_t> labels(level.pixels(), stream);
  const Drawn<float> value(2, stream);
  const k::LossOutput<bf16> output{reinterpret_cast<double*>(value.data()), grad};
  run(state, stream, "bytes_per_second", bytes(level, 3),
      [&] { k::bce_with_logits<bf16>(output, logits, {labels.data()}, 0, stream); });
}

void decide(benchmark::State& state, k::CudaStream& stream, const Level& level) {
  const DrawnImage logits(level, stream);
  const Drawn<float> probability(level.pixels(), stream);
  const Drawn<std::uint8_t> mask(level.pixels(), stream);
  run(state, stream, "bytes_per_second", bytes(level, 3.5), [&] {
    k::decide<bf16>({probability.data(), level.images, level.edge, level.edge, 1}, mask.data(), logits,
                    k::Link::sigmoid, 0.5F, stream);
  });
}

// Clipping, AdamW and the bf16 copy, for as many parameters as the network of this base has.
void adamw(benchmark::State& state, k::CudaStream& stream, int base) {
  constexpr std::size_t per_square = 7578;  // 31.0 million at base 64
  const auto count = static_cast<std::size_t>(base * base) * per_square;
  const Drawn<float> parameters(count, stream), gradients(count, stream), first(count, stream);
  const k::Memory second = k::allocate(count * sizeof(float), stream);
  k::fill_zero(second.data(), count * sizeof(float), stream);
  const Drawn<bf16> copy(count, stream);
  using Constants = k::UpdateConstants<float, k::AdamwBody<float>>;
  const Constants constants{{1e-3F, 0.9F, 0.999F, 1e-8F, 1e-5F, 0.1F, 0.03F}, 1.0F, 0};
  const k::Memory constants_memory = k::allocate(sizeof constants, stream);
  k::upload(constants_memory.data(), &constants, sizeof constants, stream);
  const Drawn<float> squared(2, stream);
  k::UpdateBuffers<float> buffers{parameters.data(), gradients.data(), first.data(),
                                  reinterpret_cast<float*>(second.data())};
  buffers.copy = copy.data();
  buffers.count = static_cast<std::ptrdiff_t>(count);
  auto* const norm = reinterpret_cast<double*>(squared.data());
  run(state, stream, "bytes_per_second", static_cast<double>(count) * (8 * sizeof(float) + sizeof(bf16)), [&] {
    k::squared_norm<float>(norm, gradients.data(), buffers.count, stream);
    k::adamw_step<float>(buffers, reinterpret_cast<const Constants*>(constants_memory.data()), norm, stream);
  });
}

}  // namespace

void register_layers(const Work& work) {
  const auto device = std::make_shared<Device>();
  const auto add = [&](const std::string& name, auto body, auto... arguments) {
    add_benchmark(name, 1, [=](benchmark::State& state) {
      body(state, device->stream(), arguments...);
    })->Unit(benchmark::kMicrosecond);
  };
  const int base = work.bases.front();
  for (int depth = 0; depth < 5 && work.edge >> depth > 1; ++depth) {
    const Level level{work.batch, work.edge >> depth, base << depth};
    const std::string at = std::to_string(level.channels) + "@" + std::to_string(level.edge);
    for (const char* direction : {"forward", "data", "weight"}) {
      add(std::string("convolution/") + direction + "/" + at, convolution, level, level.channels, direction);
    }
    add("normalize_pool/" + at, normalize_pool, level);
    add("normalize_backward/" + at, normalize_backward, level);
  }
  const Level plane{work.batch, work.edge, 1};
  add("bce", loss, plane);
  add("decide", decide, plane);
  add("adamw", adamw, base);
}

}  // namespace plume::bench

// The convolutions of a U-Net, layer by layer and in all three directions: bench_convolution --benchmark_filter=...
#include "kernels/convolution.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace {

namespace k = plume::kernels;

struct Layer {
  int in;
  int out;
  int size;
};

// Those of the classic U-Net of base 16, its first layer, head and the pixel-detector's width; then base 64's.
constexpr Layer layers[] = {{6, 16, 256},   {16, 16, 256},  {32, 16, 256},   {32, 32, 128}, {64, 64, 64},
                            {128, 128, 32}, {256, 256, 16}, {24, 24, 256},   {64, 64, 256}, {128, 128, 128},
                            {256, 256, 64}, {512, 512, 32}, {1024, 1024, 16}};

enum class Direction { forward, data, weight };

void convolution(benchmark::State& state, Direction direction) {
  const Layer layer = layers[state.range(0)];
  k::CpuStream stream(1);
  const auto image = [&](int channels) {
    return std::vector<float>(static_cast<std::size_t>(layer.size) * static_cast<std::size_t>(layer.size) *
                                  static_cast<std::size_t>(channels),
                              0.5F);
  };
  std::vector<float> x = image(layer.in);
  std::vector<float> y = image(layer.out);
  std::vector<float> weight(static_cast<std::size_t>(9 * layer.in) * static_cast<std::size_t>(layer.out), 0.25F);
  const k::Image<float> in(x.data(), 1, layer.size, layer.size, layer.in);
  const k::Image<float> out(y.data(), 1, layer.size, layer.size, layer.out);
  const k::ConvGeometry geometry{3, 1, {1, 1, 1, 1}};
  for ([[maybe_unused]] auto _ : state) {
    switch (direction) {
      case Direction::forward:
        k::conv2d_forward<float>(out, in, weight.data(), nullptr, geometry, false, stream);
        break;
      case Direction::data:
        k::conv2d_backward_data<float>(in, out, weight.data(), {0, layer.in}, geometry, false, stream);
        break;
      case Direction::weight: k::conv2d_backward_weight<float>(weight.data(), in, out, geometry, false, stream); break;
    }
    benchmark::ClobberMemory();
  }
  const double flops = 2.0 * 9 * layer.in * layer.out * layer.size * layer.size;
  state.counters["GF/s"] =
      benchmark::Counter(flops * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.SetLabel(std::to_string(layer.in) + "->" + std::to_string(layer.out) + " @" + std::to_string(layer.size));
}

BENCHMARK_CAPTURE(convolution, forward, Direction::forward)->DenseRange(0, std::size(layers) - 1);
BENCHMARK_CAPTURE(convolution, data, Direction::data)->DenseRange(0, std::size(layers) - 1);
BENCHMARK_CAPTURE(convolution, weight, Direction::weight)->DenseRange(0, std::size(layers) - 1);

}  // namespace

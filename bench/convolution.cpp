// The convolutions of a U-Net, layer by layer, in all three directions and by every algorithm:
// bench_convolution --benchmark_filter=...
#include "kernels/convolution.hpp"

#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <vector>

#include "kernels/cpu/winograd/winograd.hpp"

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

using Tile = std::optional<k::WinogradTile>;  // none: direct

void run(Direction direction, Tile tile, k::Image<float> in, k::Image<float> out, std::vector<float>& weight,
         k::CpuStream& stream) {
  constexpr k::ConvGeometry geometry{3, 1, {1, 1, 1, 1}};
  float* w = weight.data();
  switch (direction) {
    case Direction::forward:
      tile ? k::winograd_forward<float>(out, in, w, nullptr, geometry, false, *tile, stream)
           : k::conv2d_forward<float>(out, in, w, nullptr, geometry, false, stream);
      break;
    case Direction::data:
      tile ? k::winograd_backward_data<float>(in, out, w, {0, in.c}, geometry, false, *tile, stream)
           : k::conv2d_backward_data<float>(in, out, w, {0, in.c}, geometry, false, stream);
      break;
    case Direction::weight:
      tile ? k::winograd_backward_weight<float>(w, in, out, geometry, false, *tile, stream)
           : k::conv2d_backward_weight<float>(w, in, out, geometry, false, stream);
      break;
  }
}

void convolution(benchmark::State& state, Direction direction, Tile tile) {
  const Layer layer = layers[state.range(0)];
  k::CpuStream stream(1, k::ConvPolicy::direct);  // what winograd_... calls are not
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
  for ([[maybe_unused]] auto _ : state) {
    run(direction, tile, in, out, weight, stream);
    benchmark::ClobberMemory();
  }
  const double flops = 2.0 * 9 * layer.in * layer.out * layer.size * layer.size;
  state.counters["GF/s"] =
      benchmark::Counter(flops * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.SetLabel(std::to_string(layer.in) + "->" + std::to_string(layer.out) + " @" + std::to_string(layer.size));
}

// Registered as convolution/<direction>_<algorithm>/<layer>.
const bool registered = [] {
  for (const auto& [direction, name] :
       {std::pair{Direction::forward, "forward"}, {Direction::data, "data"}, {Direction::weight, "weight"}}) {
    for (const auto& [tile, algorithm] :
         {std::pair{Tile(), "direct"}, {Tile(k::WinogradTile::f2), "f2"}, {Tile(k::WinogradTile::f4), "f4"}}) {
      benchmark::RegisterBenchmark((std::string("convolution/") + name + "_" + algorithm).c_str(), convolution,
                                   direction, tile)
          ->DenseRange(0, std::size(layers) - 1);
    }
  }
  return true;
}();

}  // namespace

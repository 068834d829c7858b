// The cost of each algorithm in multiplications per output and pair of channels; a direct 3x3 convolution has nine.
#include "kernels/cpu/conv_algorithm.hpp"

#include <algorithm>
#include <type_traits>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/cpu/winograd/winograd.hpp"

namespace plume::kernels {
namespace {

// Constants are fitted to bench_convolution's rates on a Zen 4 and a Zen 5; per pair of channels, so what is done once per
// channel is divided by the other side's channels, and what is done once per weight by the number of tiles. Outputs are
// the lanes of products; transforms have lanes of either side.
struct WinogradCost {
  int edge;          // of a tile's outputs
  double products;   // points per output
  double transform;  // of inputs and outputs
  double weights;    // of the weights, against a tile's products
};
constexpr WinogradCost f2{2, 4, 37, 150};
constexpr WinogradCost f4{4, 2.25, 28, 50};
constexpr double direct_products = 9;
constexpr double direct_weights = 1000;  // against a pixel's products

// Winograd's greater rounding error has to be worth it.
constexpr double worth = 0.8;

double padded(int channels) {
  return ceil_div(channels, block_channels) * block_channels;
}

double cost(const WinogradCost& winograd, const ConvWork& work) {
  const double tiles = static_cast<double>(work.n) * ceil_div(work.h, winograd.edge) * ceil_div(work.w, winograd.edge);
  const double computed = tiles * winograd.edge * winograd.edge / (static_cast<double>(work.n) * work.h * work.w);
  const double products = winograd.products * padded(work.out) / work.out;
  const double transforms = winograd.transform * (padded(work.in) + padded(work.out)) / work.in / work.out;
  return computed * (products + transforms + winograd.weights / tiles);
}

double direct_cost(const ConvWork& work) {
  const int lanes = work.weight_gradient ? work.in : work.out;
  return direct_products * padded(lanes) / lanes + direct_weights / (static_cast<double>(work.n) * work.h * work.w);
}

}  // namespace

template <class T>
ConvAlgorithm choose_algorithm(const ConvWork& work, const ConvGeometry& geometry, ConvPolicy policy) {
  const bool empty = work.n <= 0 || work.h <= 0 || work.w <= 0 || work.in <= 0 || work.out <= 0;
  if (empty || !winograd_applies(geometry) || policy == ConvPolicy::direct) return ConvAlgorithm::direct;
  if (policy == ConvPolicy::winograd_f2) return ConvAlgorithm::winograd_f2;
  if (policy == ConvPolicy::winograd_f4) return ConvAlgorithm::winograd_f4;
  if (std::is_same_v<T, double> && policy == ConvPolicy::automatic) return ConvAlgorithm::direct;
  const double small = cost(f2, work);
  const double large = cost(f4, work);
  const bool pays = std::min(small, large) < worth * direct_cost(work);
  if (policy == ConvPolicy::automatic && !pays) return ConvAlgorithm::direct;
  return large <= small ? ConvAlgorithm::winograd_f4 : ConvAlgorithm::winograd_f2;
}

template ConvAlgorithm choose_algorithm<float>(const ConvWork&, const ConvGeometry&, ConvPolicy);
template ConvAlgorithm choose_algorithm<double>(const ConvWork&, const ConvGeometry&, ConvPolicy);

}  // namespace plume::kernels

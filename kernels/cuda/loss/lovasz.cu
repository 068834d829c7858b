// The Lovász extensions on CUDA: per class a sort of all pixels by error, and the slopes along it; then the gradient.
#include "kernels/cuda/loss/pixel.cuh"
#include "kernels/cuda/loss/softmax_pixel.cuh"
#include "kernels/cuda/prefix.cuh"
#include "kernels/cuda/sort.hpp"
#include "kernels/functors.hpp"
#include "kernels/jaccard.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

// A pair's key is the error, so that the largest comes first; its value is twice the pixel's index, and 1 more where it
// is of the class; a NaN comes before all. What is ignored has no error and is of no class, so it comes last and
// changes nothing.
template <class T>
__global__ void __launch_bounds__(sum_threads)
    lovasz_errors(SortPairs pairs, Image<const T> logits, PixelTargets<T> targets, int c) {
  for_share(logits.pixels(), [&](std::ptrdiff_t pixel) {
    const bool binary = logits.c == 1;
    const T* z = logits.data + pixel * logits.stride;
    const bool counts = weight_of(targets, pixel) != 0;
    const bool hit = counts && targets.labels[pixel] == (binary ? 1 : c);
    float error = 0;
    if (counts && binary) error = 1.0F - (hit ? static_cast<float>(z[0]) : -static_cast<float>(z[0]));
    if (counts && !binary) {
      const float probability = SoftmaxPixel(z, logits.c).probability(static_cast<float>(z[c]));
      error = hit ? 1.0F - probability : probability;
    }
    pairs.keys[pixel] = ~(error <= 0 ? 0U : __float_as_uint(error));
    pairs.values[pixel] = 2 * static_cast<unsigned>(pixel) + (hit ? 1 : 0);
  });
}

__device__ std::ptrdiff_t first_of_thread() {
  return (static_cast<std::ptrdiff_t>(blockIdx.x) * sum_threads + threadIdx.x) * sort_items;
}

__device__ unsigned own_hits(const unsigned* values, std::ptrdiff_t count) {
  unsigned hits = 0;
  const std::ptrdiff_t first = first_of_thread();
  for (std::ptrdiff_t i = first; i < first + sort_items && in_bounds(i < count); ++i) hits += values[i] % 2;
  return hits;
}

// How many pixels of the class each tile of sorted pairs has.
__global__ void __launch_bounds__(sum_threads)
    count_hits(unsigned* hits, const unsigned* values, std::ptrdiff_t count) {
  const Prefix prefix = block_prefix(own_hits(values, count));
  if (threadIdx.x == 0) hits[blockIdx.x] = prefix.total;
}

// slopes[pixel * step]: of the extension by the pixel's error; losses: a sum for each tile. hits: before each tile, and
// behind the last one all.
__global__ void __launch_bounds__(sum_threads) lovasz_slopes(float* slopes, double* losses, SortPairs sorted,
                                                             const unsigned* hits, std::ptrdiff_t count, int step) {
  const unsigned all = hits[gridDim.x];
  std::ptrdiff_t passed = hits[blockIdx.x] + block_prefix(own_hits(sorted.values, count)).before;
  const std::ptrdiff_t first = first_of_thread();
  double before = first == 0 ? 0 : jaccard_loss(all, passed, first);
  double loss[1] = {0};
  for (std::ptrdiff_t i = first; i < first + sort_items && in_bounds(i < count); ++i) {
    const unsigned value = sorted.values[i];
    passed += value % 2;
    const double jaccard = jaccard_loss(all, passed, i + 1);
    const float error = __uint_as_float(~sorted.keys[i]);
    loss[0] += static_cast<double>(error) * (jaccard - before);
    slopes[static_cast<std::ptrdiff_t>(value / 2) * step] = error > 0 ? static_cast<float>(jaccard - before) : 0.0F;
    before = jaccard;
  }
  block_sums(loss);
  if (threadIdx.x == 0) losses[blockIdx.x] = loss[0];
}

// What a class amounts to.
struct ClassLoss {
  double value;
  float present;  // 1 or 0
};

// one block
__global__ void __launch_bounds__(sum_threads)
    finish_class(ClassLoss* to, const double* losses, const unsigned* hits, int tiles, bool binary) {
  const double value = total_of(losses, tiles);
  if (threadIdx.x == 0) *to = {value, binary || hits[tiles] > 0 ? 1.0F : 0.0F};
}

__device__ float classes_present(const ClassLoss* by_class, int classes) {
  float present = 0;
  for (int c = 0; c < classes; ++c) present += by_class[c].present;
  return present;
}

// one block, of one thread
template <class T>
__global__ void finish_lovasz(LossOutput<T> output, const ClassLoss* by_class, int classes) {
  double value = 0;
  for (int c = 0; c < classes; ++c) value += by_class[c].present != 0 ? by_class[c].value : 0;
  const float present = classes_present(by_class, classes);
  put_value(output, present > 0 ? value / static_cast<double>(present) : 0);
}

template <class T>
__global__ void __launch_bounds__(sum_threads)
    lovasz_gradient(LossOutput<T> output, const float* slopes, const ClassLoss* by_class, Image<const T> logits,
                    PixelTargets<T> targets) {
  const float present = classes_present(by_class, logits.c);
  const float factor = present > 0 ? static_cast<float>(output.weight * output.scale) / present : 0.0F;
  for_share(logits.pixels(), [&](std::ptrdiff_t pixel) {
    const T* z = logits.data + pixel * logits.stride;
    T* to = output.grad.data + pixel * output.grad.stride;
    const float* slope = slopes + pixel * logits.c;
    const int label = targets.labels[pixel];
    if (logits.c == 1) return put(to[0], label == 1 ? -factor * slope[0] : factor * slope[0], output.add_grad);
    const SoftmaxPixel softmax(z, logits.c);
    // By the probabilities: where a class is there, its error falls with them.
    const auto by_probability = [&](int c) { return by_class[c].present * (label == c ? -slope[c] : slope[c]); };
    float dot = 0;
    for (int c = 0; c < logits.c; ++c) dot += by_probability(c) * softmax.probability(static_cast<float>(z[c]));
    for (int c = 0; c < logits.c; ++c) {
      const float probability = softmax.probability(static_cast<float>(z[c]));
      put(to[c], factor * probability * (by_probability(c) - dot), output.add_grad);
    }
  });
}

}  // namespace
}  // namespace cuda

template <class T>
void lovasz(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CudaStream& stream) {
  using State = CudaStream::State;
  const std::ptrdiff_t pixels = logits.pixels();
  const auto count = static_cast<std::size_t>(pixels);
  const auto classes = static_cast<std::size_t>(logits.c);
  const int tiles = cuda::sort_tiles(pixels);
  auto* pairs = stream.state().scratch(State::weights).take<unsigned>(4 * count);
  auto* slopes = stream.state().scratch(State::workspace).take<float>(classes * count);
  auto* losses = stream.state().scratch(State::partials).take<double>(static_cast<std::size_t>(tiles));
  auto* by_class = stream.state()
                       .scratch(State::statistics)
                       .take<cuda::ClassLoss>(classes + static_cast<std::size_t>(cuda::sort_digits * tiles) + 1);
  auto* places = reinterpret_cast<unsigned*>(by_class + classes);
  const cuda::SortPairs sorted{pairs, pairs + count};
  const cuda::SortPairs other{pairs + 2 * count, pairs + 3 * count};
  const cuda::LaunchShape shape = cuda::sum_shape(cuda::sum_blocks(pixels));
  for (int c = 0; c < logits.c; ++c) {
    if (tiles > 0) {
      cuda::launch<cuda::lovasz_errors<T>>(shape, stream, sorted, logits, targets, c);
      cuda::sort_pairs(sorted, other, places, pixels, stream);
      cuda::launch<cuda::count_hits>(cuda::sum_shape(tiles), stream, places,
                                     static_cast<const unsigned*>(sorted.values), pixels);
    }
    cuda::exclusive_sums(places, tiles, stream);
    if (tiles > 0) {
      cuda::launch<cuda::lovasz_slopes>(cuda::sum_shape(tiles), stream, slopes + c, losses, sorted,
                                        static_cast<const unsigned*>(places), pixels, logits.c);
    }
    cuda::launch<cuda::finish_class>(cuda::sum_shape(1), stream, by_class + c, static_cast<const double*>(losses),
                                     static_cast<const unsigned*>(places), tiles, logits.c == 1);
  }
  const auto* of_classes = static_cast<const cuda::ClassLoss*>(by_class);
  cuda::launch<cuda::finish_lovasz<T>>({dim3(1), dim3(1)}, stream, output, of_classes, logits.c);
  if (output.grad.data && tiles > 0) {
    cuda::launch<cuda::lovasz_gradient<T>>(shape, stream, output, static_cast<const float*>(slopes), of_classes, logits,
                                           targets);
  }
}

template void lovasz(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CudaStream&);
template void lovasz(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, CudaStream&);

}  // namespace plume::kernels

// Dice on CUDA: a pass that sums the overlaps, the value and the slopes from the sums, and a pass for the gradient.
#include "kernels/cuda/loss/dice_sigmoid.cuh"
#include "kernels/cuda/loss/dice_softmax.cuh"

namespace plume::kernels {
namespace cuda {
namespace {

// sum(shape, overlaps) and gradient(shape, slopes) launch the two passes over `items` for each thread to share.
template <class T, class Sum, class Gradient>
void dice_passes(const LossOutput<T>& output, int classes, double smooth, std::ptrdiff_t items, CudaStream& stream,
                 const Sum& sum, const Gradient& gradient) {
  const int blocks = sum_blocks(items);
  CudaStream::State& state = stream.state();
  const auto count = std::size_t{2} * static_cast<std::size_t>(classes) * static_cast<std::size_t>(blocks);
  const OverlapSums overlaps{state.scratch(CudaStream::State::partials).take<double>(count), blocks, classes};
  auto* slopes = state.scratch(CudaStream::State::statistics).take<DiceSlope>(static_cast<std::size_t>(classes));
  sum(sum_shape(blocks), overlaps);
  launch<finish_dice<T>>(sum_shape(1), stream, output, slopes, overlaps, smooth);
  if (output.grad.data) gradient(sum_shape(blocks), static_cast<const DiceSlope*>(slopes));
}

template <class T, bool dense>
void dice_sigmoid(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smooth,
                  CudaStream& stream) {
  constexpr int N = pack_size<T>;
  dice_passes(
      output, 1, smooth, (logits.pixels() + N - 1) / N, stream,
      [&](const LaunchShape& shape, const OverlapSums& overlaps) {
        launch<dice_sigmoid_sums<T, dense>>(shape, stream, overlaps, logits, targets);
      },
      [&](const LaunchShape& shape, const DiceSlope* slopes) {
        launch<dice_sigmoid_gradient<T, dense>>(shape, stream, output, slopes, logits, targets);
      });
}

template <class T>
void dice_softmax(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smooth,
                  CudaStream& stream) {
  dice_passes(
      output, logits.c, smooth, logits.pixels(), stream,
      [&](const LaunchShape& shape, const OverlapSums& overlaps) {
        launch<dice_softmax_sums<T>>(shape, stream, overlaps, logits, targets);
      },
      [&](const LaunchShape& shape, const DiceSlope* slopes) {
        launch<dice_softmax_gradient<T>>(shape, stream, output, slopes, logits, targets);
      });
}

}  // namespace
}  // namespace cuda

template <class T>
void dice(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, double smooth,
          CudaStream& stream) {
  constexpr int N = cuda::pack_size<T>;
  if (logits.c > 1) {
    cuda::dice_softmax(output, logits, targets, smooth, stream);
  } else if (cuda::dense_runs(logits, N) && cuda::dense_runs(output.grad, N) && cuda::dense_runs(targets, N)) {
    cuda::dice_sigmoid<T, true>(output, logits, targets, smooth, stream);
  } else {
    cuda::dice_sigmoid<T, false>(output, logits, targets, smooth, stream);
  }
}

template void dice(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double, CudaStream&);
template void dice(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, double, CudaStream&);

}  // namespace plume::kernels

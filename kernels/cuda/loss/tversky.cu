// Tversky's loss on CUDA: a pass that sums the overlaps, the value and the slopes from the sums, and a pass for the
// gradient.
#include "kernels/cuda/loss/tversky_sigmoid.cuh"
#include "kernels/cuda/loss/tversky_softmax.cuh"

namespace plume::kernels {
namespace cuda {
namespace {

// sum(shape, overlaps) and gradient(shape, slopes) launch the two passes over `items` for each thread to share.
template <class T, class Sum, class Gradient>
void tversky_passes(const LossOutput<T>& output, int classes, const TverskySettings& settings, std::ptrdiff_t items,
                    CudaStream& stream, const Sum& sum, const Gradient& gradient) {
  const int blocks = sum_blocks(items);
  CudaStream::State& state = stream.state();
  const auto count = std::size_t{2} * static_cast<std::size_t>(classes) * static_cast<std::size_t>(blocks);
  const OverlapSums overlaps{state.scratch(CudaStream::State::partials).take<double>(count), blocks, classes};
  auto* slopes = state.scratch(CudaStream::State::statistics).take<ClassSlope>(static_cast<std::size_t>(classes));
  sum(sum_shape(blocks), overlaps);
  launch<finish_tversky<T>>(sum_shape(1), stream, output, slopes, overlaps, settings);
  if (output.grad.data) gradient(sum_shape(blocks), static_cast<const ClassSlope*>(slopes));
}

template <class T, bool dense>
void tversky_sigmoid(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                     const TverskySettings& settings, CudaStream& stream) {
  constexpr int N = pack_size<T>;
  tversky_passes(
      output, 1, settings, (logits.pixels() + N - 1) / N, stream,
      [&](const LaunchShape& shape, const OverlapSums& overlaps) {
        launch<tversky_sigmoid_sums<T, dense>>(shape, stream, overlaps, settings, logits, targets);
      },
      [&](const LaunchShape& shape, const ClassSlope* slopes) {
        launch<tversky_sigmoid_gradient<T, dense>>(shape, stream, output, slopes, logits, targets);
      });
}

template <class T>
void tversky_softmax(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                     const TverskySettings& settings, CudaStream& stream) {
  tversky_passes(
      output, logits.c, settings, logits.pixels(), stream,
      [&](const LaunchShape& shape, const OverlapSums& overlaps) {
        launch<tversky_softmax_sums<T>>(shape, stream, overlaps, settings, logits, targets);
      },
      [&](const LaunchShape& shape, const ClassSlope* slopes) {
        launch<tversky_softmax_gradient<T>>(shape, stream, output, slopes, logits, targets);
      });
}

}  // namespace
}  // namespace cuda

template <class T>
void tversky(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
             const TverskySettings& settings, CudaStream& stream) {
  constexpr int N = cuda::pack_size<T>;
  if (logits.c > 1) {
    cuda::tversky_softmax(output, logits, targets, settings, stream);
  } else if (cuda::dense_runs(logits, N) && cuda::dense_runs(output.grad, N) && cuda::dense_runs(targets, N)) {
    cuda::tversky_sigmoid<T, true>(output, logits, targets, settings, stream);
  } else {
    cuda::tversky_sigmoid<T, false>(output, logits, targets, settings, stream);
  }
}

template void tversky(const LossOutput<float>&, Image<const float>, PixelTargets<float>, const TverskySettings&,
                      CudaStream&);
template void tversky(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, const TverskySettings&,
                      CudaStream&);

}  // namespace plume::kernels

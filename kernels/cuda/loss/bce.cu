// Binary cross entropy from logits on CUDA: value and gradient in one pass over the logits.
#include "kernels/cuda/loss/weighted_mean.cuh"
#include "kernels/functors.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

// The second bound keeps ptxas from spilling for the sake of more blocks than help.
template <class T, bool dense>
__global__ void __launch_bounds__(sum_threads, 4)
    bce_pass(LossOutput<T> output, Image<const T> logits, PixelTargets<T> targets, MeanPass pass) {
  constexpr int N = pack_size<T>;
  const float factor = gradient_factor(output, pass);
  double loss = 0;
  for_share((logits.pixels() + N - 1) / N, [&](std::ptrdiff_t item) {
    const PixelRun<N> run(item, logits.pixels());
    const Floats<N> z = load_run<dense>(logits.data, logits.stride, run);
    const RunTargets<N> target = load_targets<dense>(targets, run);
    Floats<N> gradient;
#pragma unroll
    for (int i = 0; i < N; ++i) {
      if (target.weight[i] != 0)
        loss += static_cast<double>(target.weight[i] * (SoftplusBody{}(z[i]) - target.truth[i] * z[i]));
      gradient[i] = factor * target.weight[i] * (SigmoidBody{}(z[i]) - target.truth[i]);
    }
    if (output.grad.data) store_run<dense>(output.grad.data, output.grad.stride, run, gradient, output.add_grad);
  });
  put_loss_sum(pass, loss);
}

}  // namespace
}  // namespace cuda

template <class T>
void bce_with_logits(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets, CudaStream& stream) {
  constexpr int N = cuda::pack_size<T>;
  const bool dense = cuda::dense_runs(logits, N) && cuda::dense_runs(output.grad, N) && cuda::dense_runs(targets, N);
  cuda::weighted_mean(output, logits.pixels(), targets, (logits.pixels() + N - 1) / N, stream,
                      [&](const cuda::LaunchShape& shape, const cuda::MeanPass& pass) {
                        if (dense) {
                          cuda::launch<cuda::bce_pass<T, true>>(shape, stream, output, logits, targets, pass);
                        } else {
                          cuda::launch<cuda::bce_pass<T, false>>(shape, stream, output, logits, targets, pass);
                        }
                      });
}

template void bce_with_logits(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CudaStream&);
template void bce_with_logits(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, CudaStream&);

}  // namespace plume::kernels

// Cross entropy of the softmax on CUDA: value and gradient in one pass over the logits, a thread per pixel.
#include "kernels/cuda/loss/softmax_pixel.cuh"
#include "kernels/cuda/loss/weighted_mean.cuh"

namespace plume::kernels {
namespace cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(sum_threads)
    softmax_pass(LossOutput<T> output, Image<const T> logits, PixelTargets<T> targets, MeanPass pass) {
  const float factor = gradient_factor(output, pass);
  double loss = 0;
  for_share(logits.pixels(), [&](std::ptrdiff_t pixel) {
    const T* z = logits.data + pixel * logits.stride;
    const int label = targets.labels[pixel];
    const float weight = weight_of(targets, pixel);
    const SoftmaxPixel softmax(z, logits.c);
    if (weight != 0) loss += static_cast<double>(weight * softmax.surprise(static_cast<float>(z[label])));
    if (!output.grad.data) return;
    T* to = output.grad.data + pixel * output.grad.stride;
    for (int c = 0; c < logits.c; ++c) {
      const float difference = softmax.probability(static_cast<float>(z[c])) - (c == label ? 1.0F : 0.0F);
      put(to[c], factor * weight * difference, output.add_grad);
    }
  });
  put_loss_sum(pass, loss);
}

}  // namespace
}  // namespace cuda

template <class T>
void softmax_cross_entropy(const LossOutput<T>& output, Image<const T> logits, PixelTargets<T> targets,
                           CudaStream& stream) {
  cuda::weighted_mean(output, logits.pixels(), targets, logits.pixels(), stream,
                      [&](const cuda::LaunchShape& shape, const cuda::MeanPass& pass) {
                        cuda::launch<cuda::softmax_pass<T>>(shape, stream, output, logits, targets, pass);
                      });
}

template void softmax_cross_entropy(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CudaStream&);
template void softmax_cross_entropy(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, CudaStream&);

}  // namespace plume::kernels

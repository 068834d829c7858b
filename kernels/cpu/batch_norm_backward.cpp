// Batch normalisation backward on the CPU: one pass for the sums, one for the data gradient.
#include <vector>

#include "kernels/batch_norm.hpp"
#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/norm_scale.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/pixel_sums.hpp"
#include "kernels/pointwise.hpp"
#include "kernels/pooling.hpp"

namespace plume::kernels {
namespace {

// grad_y plus the pooled gradient: in grad_x's memory where that is to be overwritten anyway, else in the stream's.
template <class T>
Image<const T> add_pooled(Image<const T> grad_y, const PooledGradient<T>& pooled, Image<T> grad_x, bool add_x,
                          CpuStream& stream) {
  Image<T> sum = grad_x;
  if (grad_x.data == nullptr || add_x) {
    const auto values = static_cast<std::size_t>(grad_y.pixels() * grad_y.c);
    sum = {stream.shared(CpuStream::partials).take<T>(values), grad_y.n, grad_y.h, grad_y.w, grad_y.c};
  }
  if (sum.data != grad_y.data) copy(sum, grad_y, false, stream);
  max_pool_backward(sum, pooled.grad, pooled.index, true, stream);
  return sum;
}

}  // namespace

// With g the gradient behind the ReLU, n pixels, s = inverse_std and xc = x - mean:
//   grad_beta = sum g, grad_gamma = s * sum g xc,
//   grad_x = gamma s (g - mean(g) - xc s^2 mean(g xc)), the means only where the statistics are the batch's.
template <class T>
void normalize_backward(Image<T> grad_x, Wide<T>* grad_gamma, Wide<T>* grad_beta, Image<const T> grad_y,
                        const NormSaved<T>& saved, bool add_x, bool add_parameters, CpuStream& stream) {
  if (saved.pooled.grad.data != nullptr) grad_y = add_pooled(grad_y, saved.pooled, grad_x, add_x, stream);
  const auto& cpu = backward_primitives<T>();
  const Image<const T>& x = saved.x;
  const int c = x.c;
  const NormScale<T> scale(saved.mean, saved.inverse_std, saved.gamma, saved.relu ? saved.beta : nullptr, c);
  const NormLine<T> line{saved.mean, scale.scale.data(), scale.shift.data(), saved.relu};
  const auto sums =
      pixel_sums<T>(x.pixels(), std::ptrdiff_t{2} * c, stream, [&](T* sum, std::ptrdiff_t first, std::ptrdiff_t count) {
        cpu.norm_grad_sums(sum, sum + c, grad_y.data + first * grad_y.stride, grad_y.stride, x.data + first * x.stride,
                           x.stride, line, count, c);
      });

  auto all = sums;
  all.push_back(static_cast<double>(x.pixels()));
  if (saved.across != nullptr) saved.across->sum(all.data(), all.size(), stream);
  const double count = all.back();
  std::vector<T> slope(static_cast<std::size_t>(c));
  std::vector<T> offset(static_cast<std::size_t>(c));
  for (int i = 0; i < c; ++i) {
    const auto channel = static_cast<std::size_t>(i);
    const auto s = static_cast<double>(saved.inverse_std[i]);
    const double factor = static_cast<double>(saved.gamma[i]) * s;
    const std::size_t shifted = channel + static_cast<std::size_t>(c);
    slope[channel] = saved.batch ? static_cast<T>(-factor * s * s * all[shifted] / count) : T{0};
    offset[channel] = saved.batch ? static_cast<T>(-factor * all[channel] / count) : T{0};
    const auto gamma_sum = static_cast<T>(s * sums[shifted]);
    const auto beta_sum = static_cast<T>(sums[channel]);
    grad_gamma[i] = add_parameters ? grad_gamma[i] + gamma_sum : gamma_sum;
    grad_beta[i] = add_parameters ? grad_beta[i] + beta_sum : beta_sum;
  }
  if (grad_x.data == nullptr) return;

  parallel_ranges(stream, x.pixels(), 2048, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    cpu.norm_grad_apply(grad_x.data + first * grad_x.stride, grad_x.stride, grad_y.data + first * grad_y.stride,
                        grad_y.stride, x.data + first * x.stride, x.stride, line, slope.data(), offset.data(),
                        last - first, c, add_x);
  });
}

template void normalize_backward(Image<float>, float*, float*, Image<const float>, const NormSaved<float>&, bool, bool,
                                 CpuStream&);
template void normalize_backward(Image<double>, double*, double*, Image<const double>, const NormSaved<double>&, bool,
                                 bool, CpuStream&);

}  // namespace plume::kernels

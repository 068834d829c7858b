// Batch normalisation over images, rows and columns, with an optional ReLU behind it.
// Source: Ioffe and Szegedy, "Batch normalization", ICML 2015. f32 and f64 on the CPU, where
// statistics are summed in f64; f32 and bf16 on CUDA.
#pragma once

#include <cstdint>

#include "kernels/across.hpp"
#include "kernels/base/dtype.hpp"
#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

struct NormSettings {
  double epsilon = 1e-5;
  // running = (1 - momentum) * running + momentum * batch: PyTorch's sense. Keras's momentum is the complement.
  double momentum = 0.1;
  bool unbiased_variance = true;  // of the batch variance that running_var is fed
  // Where the batch is one of all ranks; null: of this one. Used by batch_statistics alone.
  AcrossRanks* across = nullptr;
};

// mean[c] and inverse_std[c] of the batch; running statistics are updated unless null.
template <class T>
void batch_statistics(Wide<T>* mean, Wide<T>* inverse_std, Wide<T>* running_mean, Wide<T>* running_var,
                      Image<const T> x, const NormSettings& settings, CpuStream& stream);
template <class T>
void batch_statistics(Wide<T>* mean, Wide<T>* inverse_std, Wide<T>* running_mean, Wide<T>* running_var,
                      Image<const T> x, const NormSettings& settings, CudaStream& stream);

// mean[c] and inverse_std[c] from running statistics, for inference.
template <class T>
void running_statistics(T* mean, T* inverse_std, const T* running_mean, const T* running_var, int channels,
                        const NormSettings& settings, CpuStream& stream);
template <class T>
void running_statistics(T* mean, T* inverse_std, const T* running_mean, const T* running_var, int channels,
                        const NormSettings& settings, CudaStream& stream);

// y = (x - mean) * inverse_std * gamma + beta, then ReLU where asked. In place where y is x.
template <class T>
void normalize(Image<T> y, Image<const T> x, const Wide<T>* mean, const Wide<T>* inverse_std, const Wide<T>* gamma,
               const Wide<T>* beta, bool relu, CpuStream& stream);
template <class T>
void normalize(Image<T> y, Image<const T> x, const Wide<T>* mean, const Wide<T>* inverse_std, const Wide<T>* gamma,
               const Wide<T>* beta, bool relu, CudaStream& stream);

// normalize, and max_pool_forward (pooling.hpp) of its result, in one pass over x where the device can. In place where y is x.
template <class T>
void normalize_pool(Image<T> y, Image<T> pooled, std::uint8_t* index, Image<const T> x, const Wide<T>* mean,
                    const Wide<T>* inverse_std, const Wide<T>* gamma, const Wide<T>* beta, bool relu,
                    CpuStream& stream);
template <class T>
void normalize_pool(Image<T> y, Image<T> pooled, std::uint8_t* index, Image<const T> x, const Wide<T>* mean,
                    const Wide<T>* inverse_std, const Wide<T>* gamma, const Wide<T>* beta, bool relu,
                    CudaStream& stream);

// The gradient of a 2x2 max-pool's output; `index` is what max_pool_forward gave.
template <class T>
struct PooledGradient {
  Image<const T> grad;
  const std::uint8_t* index = nullptr;
};

// What normalize's gradient needs. Where a ReLU let y through is told from x, by normalize's own formula, so that y need
// not be kept.
template <class T>
struct NormSaved {
  Image<const T> x;
  const Wide<T>* mean = nullptr;
  const Wide<T>* inverse_std = nullptr;
  const Wide<T>* gamma = nullptr;
  const Wide<T>* beta = nullptr;  // read only with relu
  bool relu = false;              // whether one followed
  bool batch = true;              // whether mean and inverse_std came from this batch, and so depend on x
  AcrossRanks* across = nullptr;  // that they came from; grad_gamma and grad_beta are this rank's share even so
  PooledGradient<T> pooled{};     // where y was also pooled (grad.data != nullptr): counts as part of grad_y
};

// grad_x (+)= (skipped where its data is null), grad_gamma (+)=, grad_beta (+)=. grad_x may be grad_y's memory where nothing is added to it.
template <class T>
void normalize_backward(Image<T> grad_x, Wide<T>* grad_gamma, Wide<T>* grad_beta, Image<const T> grad_y,
                        const NormSaved<T>& saved, bool add_x, bool add_parameters, CpuStream& stream);
template <class T>
void normalize_backward(Image<T> grad_x, Wide<T>* grad_gamma, Wide<T>* grad_beta, Image<const T> grad_y,
                        const NormSaved<T>& saved, bool add_x, bool add_parameters, CudaStream& stream);

}  // namespace plume::kernels

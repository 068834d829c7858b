// Optimiser updates over flat buffers of parameters. f32 and f64; on CUDA f32 with an optional bf16 copy.
#pragma once

#include <cstddef>
#include <limits>

#include "kernels/base/bfloat16.hpp"
#include "kernels/functors.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// What an update reads and writes in place, all in the stream's memory and `count` elements long.
template <class T>
struct UpdateBuffers {
  T* parameters = nullptr;
  const T* gradients = nullptr;
  T* first = nullptr;    // AdamW's first moment, SGD's velocity
  T* second = nullptr;   // AdamW's second moment
  T* average = nullptr;  // exponential moving average of the parameters; none where null
  bf16* copy = nullptr;  // the updated parameters, rounded; none where null
  std::ptrdiff_t count = 0;
};

// What changes from step to step, in the stream's memory, so that a recorded step can be replayed.
template <class T, class Body>
struct UpdateConstants {
  Body body{};
  T clip = std::numeric_limits<T>::infinity();  // gradients are scaled down to this norm over all parameters
  T average_decay = 0;                          // average = decay * average + (1 - decay) * parameters
};

// Whether gradients of this squared norm may change anything; unknown (null) ones may.
PLUME_HD inline bool may_update(const double* squared_norm) {
  return !squared_norm || *squared_norm <= std::numeric_limits<double>::max();
}

// *result = sum of squares, in f64 and in a fixed order; in the stream's memory.
template <class T>
void squared_norm(double* result, const T* values, std::ptrdiff_t count, CpuStream& stream);
template <class T>
void squared_norm(double* result, const T* values, std::ptrdiff_t count, CudaStream& stream);

// *average = decay * *average + (1 - decay) * *values, for what no update touches; decay in the stream's memory.
template <class T>
void moving_average(T* average, const T* values, std::ptrdiff_t count, const T* decay, const double* squared,
                    CpuStream& stream);
template <class T>
void moving_average(T* average, const T* values, std::ptrdiff_t count, const T* decay, const double* squared,
                    CudaStream& stream);

// squared: the gradients' squared_norm, here and below. Where that is not finite nothing is changed, so that a step
// gone wrong costs no more than itself; null where it is not known, and then clip must be infinite.
template <class T>
void adamw_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, AdamwBody<T>>* constants,
                const double* squared, CpuStream& stream);
template <class T>
void adamw_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, AdamwBody<T>>* constants,
                const double* squared, CudaStream& stream);

template <class T>
void sgd_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, SgdBody<T>>* constants, const double* squared,
              CpuStream& stream);
template <class T>
void sgd_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, SgdBody<T>>* constants, const double* squared,
              CudaStream& stream);

// gradients become LAMB's directions, the moments follow. squared as above.
template <class T>
void lamb_direction(T* gradients, const UpdateBuffers<T>& buffers, const UpdateConstants<T, LambBody<T>>* constants,
                    const double* squared, CpuStream& stream);
template <class T>
void lamb_direction(T* gradients, const UpdateBuffers<T>& buffers, const UpdateConstants<T, LambBody<T>>* constants,
                    const double* squared, CudaStream& stream);

// One layer's gradients in proportion to its parameters, `count` of each. layer: the squared_norm of its parameters
// and, behind it, of its gradients; squared: of all gradients, as above.
template <class T>
void adapt_to_layer(T* gradients, const T* parameters, std::ptrdiff_t count,
                    const UpdateConstants<T, TrustBody<T>>* constants, const double* layer, const double* squared,
                    CpuStream& stream);
template <class T>
void adapt_to_layer(T* gradients, const T* parameters, std::ptrdiff_t count,
                    const UpdateConstants<T, TrustBody<T>>* constants, const double* layer, const double* squared,
                    CudaStream& stream);

}  // namespace plume::kernels

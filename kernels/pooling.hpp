// 2x2 max-pooling with stride 2; an odd last row or column is dropped. f32 and f64 on the CPU, f32 and bf16 on CUDA.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// index, where not null, has one byte per output value (dense NHWC): which of the window's four pixels, row by row, was
// the maximum; the first one wins a tie, and a NaN wins over all.
template <class T>
void max_pool_forward(Image<T> out, std::uint8_t* index, Image<const T> in, CpuStream& stream);
template <class T>
void max_pool_forward(Image<T> out, std::uint8_t* index, Image<const T> in, CudaStream& stream);

// grad_in (+)=; pixels that no window covers get zero.
template <class T>
void max_pool_backward(Image<T> grad_in, Image<const T> grad_out, const std::uint8_t* index, bool add,
                       CpuStream& stream);
template <class T>
void max_pool_backward(Image<T> grad_in, Image<const T> grad_out, const std::uint8_t* index, bool add,
                       CudaStream& stream);

}  // namespace plume::kernels

// Enlarging an image twofold: nearest neighbour; bilinear with half-pixel centres (TensorFlow 2's rule, and PyTorch's
// with align_corners=False); or bilinear with the corners' centres upon each other (align_corners=True). f32, f64 and,
// forward and not aligned, u8 (rounded half up) on the CPU, f32 and bf16 on CUDA.
#pragma once

#include <cstdint>

#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

enum class Interpolation { nearest, bilinear, aligned };

// out has twice in's rows and columns.
template <class T>
void upsample_forward(Image<T> out, Image<const T> in, Interpolation interpolation, CpuStream& stream);
template <class T>
void upsample_forward(Image<T> out, Image<const T> in, Interpolation interpolation, CudaStream& stream);

template <>
void upsample_forward(Image<std::uint8_t> out, Image<const std::uint8_t> in, Interpolation interpolation,
                      CpuStream& stream);

// grad_in (+)=
template <class T>
void upsample_backward(Image<T> grad_in, Image<const T> grad_out, Interpolation interpolation, bool add,
                       CpuStream& stream);
template <class T>
void upsample_backward(Image<T> grad_in, Image<const T> grad_out, Interpolation interpolation, bool add,
                       CudaStream& stream);

}  // namespace plume::kernels

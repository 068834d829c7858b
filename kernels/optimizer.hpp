// Optimiser updates over flat buffers of parameters. f32 and f64.
#pragma once

#include <cstddef>

#include "kernels/functors.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// Updates parameters and both moments in place.
template <class T>
void adamw_step(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, const AdamwBody<T>& body,
                CpuStream& stream);

// Updates parameters and velocity in place.
template <class T>
void sgd_step(T* parameters, const T* gradients, T* velocity, std::ptrdiff_t count, const SgdBody<T>& body,
              CpuStream& stream);

}  // namespace plume::kernels

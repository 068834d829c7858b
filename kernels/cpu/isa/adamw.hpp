// AdamW over flat buffers, once per instruction set; see Primitives::adamw.
#pragma once

#include <cstddef>

#include "kernels/functors.hpp"

// On the declaration: GCC overlooks it on the definition of a template that was declared before.
#if defined(__x86_64__)
#define PLUME_TARGET(features) [[gnu::target(features)]]
#else
#define PLUME_TARGET(features)
#endif

namespace plume::kernels::isa {

template <class T>
void adamw_portable(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, T scale,
                    const AdamwBody<T>& body);
template <class T>
PLUME_TARGET("avx2")
void adamw_avx2(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, T scale,
                const AdamwBody<T>& body);
template <class T>
PLUME_TARGET("avx512f,prefer-vector-width=512")
void adamw_avx512(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, T scale,
                  const AdamwBody<T>& body);

}  // namespace plume::kernels::isa

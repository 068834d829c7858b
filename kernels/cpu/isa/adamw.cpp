// Compiled without fused multiply-adds, which would round otherwise in each instruction set: AdamW makes equal steps of tiny
// and of large gradients, so a last bit in one that nearly cancels would be seen. Memory bounds its speed all the same.
#include "kernels/cpu/isa/adamw.hpp"

namespace plume::kernels::isa {
namespace {

template <class T>
[[gnu::always_inline]] inline void adamw_loop(T* __restrict parameters, const T* __restrict gradients,
                                              T* __restrict first, T* __restrict second, std::ptrdiff_t count, T scale,
                                              const AdamwBody<T>& body) {
  const AdamwBody<T> update = body;
  for (std::ptrdiff_t i = 0; i < count; ++i) update(parameters[i], gradients[i] * scale, first[i], second[i]);
}

}  // namespace

template <class T>
void adamw_portable(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, T scale,
                    const AdamwBody<T>& body) {
  adamw_loop(parameters, gradients, first, second, count, scale, body);
}

template <class T>
void adamw_avx2(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, T scale,
                const AdamwBody<T>& body) {
  adamw_loop(parameters, gradients, first, second, count, scale, body);
}

template <class T>
void adamw_avx512(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, T scale,
                  const AdamwBody<T>& body) {
  adamw_loop(parameters, gradients, first, second, count, scale, body);
}

template void adamw_portable(float*, const float*, float*, float*, std::ptrdiff_t, float, const AdamwBody<float>&);
template void adamw_portable(double*, const double*, double*, double*, std::ptrdiff_t, double,
                             const AdamwBody<double>&);
template void adamw_avx2(float*, const float*, float*, float*, std::ptrdiff_t, float, const AdamwBody<float>&);
template void adamw_avx2(double*, const double*, double*, double*, std::ptrdiff_t, double, const AdamwBody<double>&);
template void adamw_avx512(float*, const float*, float*, float*, std::ptrdiff_t, float, const AdamwBody<float>&);
template void adamw_avx512(double*, const double*, double*, double*, std::ptrdiff_t, double, const AdamwBody<double>&);

}  // namespace plume::kernels::isa

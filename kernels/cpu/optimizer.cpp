// Optimiser updates on the CPU.
#include "kernels/optimizer.hpp"

#include "kernels/cpu/parallel.hpp"

namespace plume::kernels {

template <class T>
void adamw_step(T* parameters, const T* gradients, T* first, T* second, std::ptrdiff_t count, const AdamwBody<T>& body,
                CpuStream& stream) {
  parallel_for(stream, count, [&](std::ptrdiff_t i) { body(parameters[i], gradients[i], first[i], second[i]); });
}

template <class T>
void sgd_step(T* parameters, const T* gradients, T* velocity, std::ptrdiff_t count, const SgdBody<T>& body,
              CpuStream& stream) {
  parallel_for(stream, count, [&](std::ptrdiff_t i) { body(parameters[i], gradients[i], velocity[i]); });
}

template void adamw_step(float*, const float*, float*, float*, std::ptrdiff_t, const AdamwBody<float>&, CpuStream&);
template void adamw_step(double*, const double*, double*, double*, std::ptrdiff_t, const AdamwBody<double>&,
                         CpuStream&);
template void sgd_step(float*, const float*, float*, std::ptrdiff_t, const SgdBody<float>&, CpuStream&);
template void sgd_step(double*, const double*, double*, std::ptrdiff_t, const SgdBody<double>&, CpuStream&);

}  // namespace plume::kernels

// Optimiser updates on the CPU.
#include "kernels/optimizer.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/pixel_sums.hpp"

namespace plume::kernels {
namespace {

// update(i, gradient) for every element, and what every optimiser does around it.
template <class T, class Body, class Update>
void update_all(const UpdateBuffers<T>& buffers, const UpdateConstants<T, Body>& constants, const double* squared,
                CpuStream& stream, const Update& update) {
  const T scale = clip_scale(constants.clip, squared);
  const T keep = constants.average_decay;
  parallel_for(stream, buffers.count, [&](std::ptrdiff_t i) {
    T& parameter = buffers.parameters[i];
    update(i, buffers.gradients[i] * scale);
    if (buffers.average) buffers.average[i] = keep * buffers.average[i] + (T{1} - keep) * parameter;
    if (buffers.copy) buffers.copy[i] = bf16(static_cast<float>(parameter));
  });
}

}  // namespace

template <class T>
void squared_norm(double* result, const T* values, std::ptrdiff_t count, CpuStream& stream) {
  const auto totals =
      pixel_runs<T>(count, 1, stream, [&](T*, double* total, std::ptrdiff_t first, std::ptrdiff_t length) {
        for (std::ptrdiff_t i = first; i < first + length; ++i) {
          const auto value = static_cast<double>(values[i]);
          *total += value * value;
        }
      });
  *result = totals[0];
}

template <class T>
void adamw_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, AdamwBody<T>>* constants,
                const double* squared, CpuStream& stream) {
  update_all(buffers, *constants, squared, stream, [&](std::ptrdiff_t i, T gradient) {
    constants->body(buffers.parameters[i], gradient, buffers.first[i], buffers.second[i]);
  });
}

template <class T>
void sgd_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, SgdBody<T>>* constants, const double* squared,
              CpuStream& stream) {
  update_all(buffers, *constants, squared, stream,
             [&](std::ptrdiff_t i, T gradient) { constants->body(buffers.parameters[i], gradient, buffers.first[i]); });
}

template void squared_norm(double*, const float*, std::ptrdiff_t, CpuStream&);
template void squared_norm(double*, const double*, std::ptrdiff_t, CpuStream&);
template void adamw_step(const UpdateBuffers<float>&, const UpdateConstants<float, AdamwBody<float>>*, const double*,
                         CpuStream&);
template void adamw_step(const UpdateBuffers<double>&, const UpdateConstants<double, AdamwBody<double>>*, const double*,
                         CpuStream&);
template void sgd_step(const UpdateBuffers<float>&, const UpdateConstants<float, SgdBody<float>>*, const double*,
                       CpuStream&);
template void sgd_step(const UpdateBuffers<double>&, const UpdateConstants<double, SgdBody<double>>*, const double*,
                       CpuStream&);

}  // namespace plume::kernels

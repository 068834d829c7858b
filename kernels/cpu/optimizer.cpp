// Optimiser updates on the CPU.
#include "kernels/optimizer.hpp"

#include "kernels/cpu/backward_primitives.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/pixel_sums.hpp"

namespace plume::kernels {
namespace {

constexpr std::ptrdiff_t grain = std::ptrdiff_t{1} << 15;

// What follows every update of a parameter.
template <class T>
void finish(const UpdateBuffers<T>& buffers, T keep, std::ptrdiff_t first, std::ptrdiff_t last) {
  for (std::ptrdiff_t i = first; buffers.average && i < last; ++i) {
    buffers.average[i] = keep * buffers.average[i] + (T{1} - keep) * buffers.parameters[i];
  }
  for (std::ptrdiff_t i = first; buffers.copy && i < last; ++i) {
    buffers.copy[i] = bf16(static_cast<float>(buffers.parameters[i]));
  }
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
void moving_average(T* average, const T* values, std::ptrdiff_t count, const T* decay, const double* squared,
                    CpuStream& stream) {
  if (!may_update(squared)) return;
  const T keep = *decay;
  parallel_for(stream, count, [&](std::ptrdiff_t i) { average[i] = keep * average[i] + (T{1} - keep) * values[i]; });
}

template <class T>
void adamw_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, AdamwBody<T>>* constants,
                const double* squared, CpuStream& stream) {
  if (!may_update(squared)) return;
  const T scale = clip_scale(constants->clip, squared);
  parallel_ranges(stream, buffers.count, grain, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    backward_primitives<T>().adamw(buffers.parameters + first, buffers.gradients + first, buffers.first + first,
                                   buffers.second + first, last - first, scale, constants->body);
    finish(buffers, constants->average_decay, first, last);
  });
}

template <class T>
void sgd_step(const UpdateBuffers<T>& buffers, const UpdateConstants<T, SgdBody<T>>* constants, const double* squared,
              CpuStream& stream) {
  if (!may_update(squared)) return;
  const T scale = clip_scale(constants->clip, squared);
  parallel_ranges(stream, buffers.count, grain, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t i = first; i < last; ++i) {
      constants->body(buffers.parameters[i], buffers.gradients[i] * scale, buffers.first[i]);
    }
    finish(buffers, constants->average_decay, first, last);
  });
}

template <class T>
void lamb_direction(T* gradients, const UpdateBuffers<T>& buffers, const UpdateConstants<T, LambBody<T>>* constants,
                    const double* squared, CpuStream& stream) {
  if (!may_update(squared)) return;
  const T scale = clip_scale(constants->clip, squared);
  parallel_ranges(stream, buffers.count, grain, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t i = first; i < last; ++i) {
      T direction = gradients[i] * scale;
      constants->body(direction, buffers.parameters[i], buffers.first[i], buffers.second[i]);
      gradients[i] = direction;
    }
  });
}

template <class T>
void adapt_to_layer(T* gradients, const T* parameters, std::ptrdiff_t count,
                    const UpdateConstants<T, TrustBody<T>>* constants, const double* layer, const double* squared,
                    CpuStream& stream) {
  if (!may_update(squared)) return;
  const T scale = clip_scale(constants->clip, squared);
  const T trust = constants->body.trust(layer, scale);
  parallel_ranges(stream, count, grain, [&](std::ptrdiff_t first, std::ptrdiff_t last) {
    for (std::ptrdiff_t i = first; i < last; ++i)
      gradients[i] = constants->body(gradients[i] * scale, parameters[i], trust);
  });
}

template void squared_norm(double*, const float*, std::ptrdiff_t, CpuStream&);
template void squared_norm(double*, const double*, std::ptrdiff_t, CpuStream&);
template void moving_average(float*, const float*, std::ptrdiff_t, const float*, const double*, CpuStream&);
template void moving_average(double*, const double*, std::ptrdiff_t, const double*, const double*, CpuStream&);
template void adamw_step(const UpdateBuffers<float>&, const UpdateConstants<float, AdamwBody<float>>*, const double*,
                         CpuStream&);
template void adamw_step(const UpdateBuffers<double>&, const UpdateConstants<double, AdamwBody<double>>*, const double*,
                         CpuStream&);
template void sgd_step(const UpdateBuffers<float>&, const UpdateConstants<float, SgdBody<float>>*, const double*,
                       CpuStream&);
template void sgd_step(const UpdateBuffers<double>&, const UpdateConstants<double, SgdBody<double>>*, const double*,
                       CpuStream&);
template void lamb_direction(float*, const UpdateBuffers<float>&, const UpdateConstants<float, LambBody<float>>*,
                             const double*, CpuStream&);
template void lamb_direction(double*, const UpdateBuffers<double>&, const UpdateConstants<double, LambBody<double>>*,
                             const double*, CpuStream&);
template void adapt_to_layer(float*, const float*, std::ptrdiff_t, const UpdateConstants<float, TrustBody<float>>*,
                             const double*, const double*, CpuStream&);
template void adapt_to_layer(double*, const double*, std::ptrdiff_t, const UpdateConstants<double, TrustBody<double>>*,
                             const double*, const double*, CpuStream&);

}  // namespace plume::kernels

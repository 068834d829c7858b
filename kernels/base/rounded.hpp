// Arithmetic that rounds each step on every device: nvcc would join a product and a sum into one rounding, or take a
// faster division, and bits would hang on where they were computed. Sources for the CPU that call it are compiled with
// -ffp-contract=off.
#pragma once

#include "kernels/base/host_device.hpp"

namespace plume {

[[nodiscard]] PLUME_HD inline float rounded_difference(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fsub_rn(a, b);
#else
  return a - b;
#endif
}

[[nodiscard]] PLUME_HD inline float rounded_product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

[[nodiscard]] PLUME_HD inline float rounded_quotient(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fdiv_rn(a, b);
#else
  return a / b;
#endif
}

}  // namespace plume

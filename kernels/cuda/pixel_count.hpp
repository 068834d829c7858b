// How many pixels a kernel can number. (nvcc does not compile fmt's format strings, so the error is made in a .cpp.)
#pragma once

#include <cstddef>

namespace plume::kernels::cuda {

// Kernels number pixels, or windows or packs of them, in 32 bits. Throws input_error where there are more than 2^31 - 1.
[[nodiscard]] int pixel_count(std::ptrdiff_t pixels);

}  // namespace plume::kernels::cuda

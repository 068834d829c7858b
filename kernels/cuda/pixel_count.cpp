// The limit on the number of pixels of one operation.
#include "kernels/cuda/pixel_count.hpp"

#include <limits>

#include "kernels/base/error.hpp"

namespace plume::kernels::cuda {

int pixel_count(std::ptrdiff_t pixels) {
  constexpr int most = std::numeric_limits<int>::max();
  if (pixels > most) {
    throw input_error("an operation on {} pixels, at most {} on CUDA; use a smaller batch", pixels, most);
  }
  return static_cast<int>(pixels);
}

}  // namespace plume::kernels::cuda

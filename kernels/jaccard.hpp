// The step that the Lovász extensions are made of, written once for CPU and CUDA.
#pragma once

#include <cstddef>

#include "kernels/base/host_device.hpp"

namespace plume::kernels {

// 1 - IoU of a class with `all` pixels where the `wrong` pixels of the largest errors are taken as wrong, `hits` of
// which are the class's own.
PLUME_HD inline double jaccard_loss(std::ptrdiff_t all, std::ptrdiff_t hits, std::ptrdiff_t wrong) {
  return 1 - static_cast<double>(all - hits) / static_cast<double>(all + wrong - hits);
}

}  // namespace plume::kernels

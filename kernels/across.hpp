// Sums over the processes that train together, for kernels whose result is one of all their images.
#pragma once

#include <cstddef>

#include "kernels/stream.hpp"

namespace plume::kernels {

class AcrossRanks {
 public:
  virtual ~AcrossRanks() = default;

  // Each value becomes its sum over all ranks, in one order: the same bits on each. In the stream's memory and the order of
  // its work. All ranks call it alike, as often and with as many values.
  virtual void sum(double* values, std::size_t count, CpuStream& stream) = 0;
  virtual void sum(double* values, std::size_t count, CudaStream& stream) = 0;
};

}  // namespace plume::kernels

// Sums slices of a flat buffer of floats over all ranks, beside other work.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "dist/communicator.hpp"
#include "kernels/stream.hpp"

namespace plume::dist {

// How values travel. In 16 bits each rank's values are rounded, added in f32, and their sum is rounded once more (NCCL rounds
// each addition); what is to be a mean is divided before, so that sums stay in range.
enum class Wire { f32, bf16, f16 };

class SliceSum {
 public:
  virtual ~SliceSum() = default;

  // values[first, first + count), as the stream's work so far leaves them, will be the sum; until finish() nobody else
  // touches them. All ranks begin the same slices in the same order, and finish before they begin any of another sum.
  virtual void begin(std::size_t first, std::size_t count) = 0;
  // Moves on what was begun, without waiting.
  virtual void advance() = 0;
  // For the stream's later work all that was begun is done.
  virtual void finish() = 0;
};

// Through host memory, by a communicator: rank r adds up the r-th part of each slice in the ranks' order and shares the sum.
// Bits depend on the number of ranks, not on slices or time. `values` is the stream's memory; from CUDA's a slice is copied
// when it is begun, which waits for the stream. All must outlive the sum.
[[nodiscard]] std::unique_ptr<SliceSum> host_sum(Communicator& communicator, float* values, kernels::Stream& stream,
                                                 Wire wire);

// The mean of the ranks' values in place of their sum, each divided before, in f32.
[[nodiscard]] std::unique_ptr<SliceSum> host_mean(Communicator& communicator, float* values, kernels::Stream& stream);

}  // namespace plume::dist

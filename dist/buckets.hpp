// Gradients in buckets: slices of the flat buffer that are summed over ranks as soon as backward has written them.
// Source: Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020, section 3.2.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "dist/slice_sum.hpp"

namespace plume::dist {

// When gradients are summed: while backward still runs, after it, or (to measure what that costs) not at all.
enum class Timing { overlap, blocking, none };

class Buckets {
 public:
  // `starts`: where each parameter's gradient begins in the flat buffer of `size` elements, ascending; what lies before
  // the first is not summed. Backward writes them from the last to the first, roughly. Each bucket holds whole
  // parameters, at least `elements` of them where there are so many; the buckets are begun from the buffer's end, in one
  // order on all ranks. The sum must outlive this.
  Buckets(SliceSum& sum, const std::vector<std::size_t>& starts, std::size_t size, std::size_t elements, Timing timing);

  // The gradient that begins there is final. Each once a step, in any order.
  void written(std::size_t start);
  // Begins what was not, written or not, and waits for all; then a new step may begin.
  void finish();

  struct Slice {
    std::size_t first = 0;
    std::size_t count = 0;
  };
  // In the order in which they are begun.
  [[nodiscard]] const std::vector<Slice>& slices() const { return slices_; }

 private:
  void begin_next();

  SliceSum& sum_;
  Timing timing_;
  std::vector<Slice> slices_;
  std::vector<std::size_t> parameters_;           // in each bucket
  std::vector<std::size_t> missing_;              // of those, not yet written in this step
  std::map<std::size_t, std::size_t> bucket_at_;  // by the start of a gradient
  std::size_t begun_ = 0;
};

}  // namespace plume::dist

// Counts what each bucket still waits for.
#include "dist/buckets.hpp"

#include <stdexcept>

namespace plume::dist {

Buckets::Buckets(SliceSum& sum, const std::vector<std::size_t>& starts, std::size_t size, std::size_t elements,
                 Timing timing)
    : sum_(sum), timing_(timing) {
  std::size_t end = size;
  std::size_t count = 0;
  for (auto start = starts.rbegin(); start != starts.rend(); ++start) {
    bucket_at_[*start] = slices_.size();
    ++count;
    if (end - *start < elements && std::next(start) != starts.rend()) continue;
    slices_.push_back({*start, end - *start});
    parameters_.push_back(count);
    end = *start;
    count = 0;
  }
  missing_ = parameters_;
}

void Buckets::written(std::size_t start) {
  if (timing_ != Timing::overlap) return;
  std::size_t& missing = missing_[bucket_at_.at(start)];
  if (missing == 0) throw std::logic_error("a gradient was written twice in a step");
  --missing;
  while (begun_ < slices_.size() && missing_[begun_] == 0) begin_next();
  sum_.advance();
}

void Buckets::begin_next() {
  const Slice& slice = slices_[begun_++];
  sum_.begin(slice.first, slice.count);
}

void Buckets::finish() {
  if (timing_ != Timing::none) {
    while (begun_ < slices_.size()) begin_next();
    sum_.finish();
  }
  begun_ = 0;
  missing_ = parameters_;
}

}  // namespace plume::dist

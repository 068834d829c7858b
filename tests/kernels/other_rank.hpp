// Another rank for kernels that add up over ranks: it has computed before, and its sums are added to this one's.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <vector>

#include "array.hpp"
#include "kernels/across.hpp"
#include "kernels/memory.hpp"

namespace plume::tests {

class OtherRank : public kernels::AcrossRanks {
 public:
  // From now on what it is given is this rank's, no more the other's.
  void speak() { listening_ = false; }

  void sum(double* values, std::size_t count, kernels::CpuStream&) override { exchange(values, count); }
  void sum(double* values, std::size_t count, kernels::CudaStream& stream) override {
    std::vector<double> host(count);
    kernels::download(host.data(), values, count * sizeof(double), stream);
    exchange(host.data(), count);
    kernels::upload(values, host.data(), count * sizeof(double), stream);
  }

 private:
  void exchange(double* values, std::size_t count) {
    if (listening_) {
      heard_.emplace_back(values, values + count);
      return;
    }
    const std::vector<double>& other = heard_.at(told_++);
    if (other.size() != count) throw std::logic_error("ranks that add up different things");
    for (std::size_t i = 0; i < count; ++i) values[i] += other[i];
  }

  bool listening_ = true;
  std::vector<std::vector<double>> heard_;
  std::size_t told_ = 0;
};

// The images from `first` on, of as many as there are.
inline Array images_of(const Array& all, int first, int count) {
  Array part(count, all.h, all.w, all.c);
  const std::size_t each = part.values.size() / static_cast<std::size_t>(count);
  const auto from = all.values.begin() + static_cast<std::ptrdiff_t>(each) * first;
  part.values.assign(from, from + static_cast<std::ptrdiff_t>(part.values.size()));
  return part;
}

}  // namespace plume::tests

// Each slice goes to the group's stream when it is begun; only streams wait.
#include "dist/nccl_sum.hpp"

#include <map>
#include <stdexcept>
#include <utility>

#include "kernels/base/error.hpp"
#include "kernels/cuda/wire_floats.hpp"
#include "kernels/memory.hpp"

namespace plume::dist {
namespace {

class NcclSum : public SliceSum {
 public:
  NcclSum(NcclGroup& group, float* values, Wire wire, Reduction reduction, std::string what)
      : group_(group), values_(values), wire_(wire), reduction_(reduction), what_(std::move(what)) {}

  void begin(std::size_t first, std::size_t count) override {
    const Slice& slice = slice_of(first, count);
    float* const values = values_ + first;
    group_.fork();
    switch (wire_) {
      case Wire::f32: return group_.all_reduce(values, count, Element::f32, reduction_, slice.name);
      case Wire::bf16: return sum_rounded<bf16>(values, count, slice, Element::bf16);
      case Wire::f16: return sum_rounded<f16>(values, count, slice, Element::f16);
    }
  }
  void advance() override {}
  void finish() override { group_.join(); }

 private:
  // One for each, from step to step.
  struct Slice {
    int name = 0;
    kernels::Memory rounded;
  };

  const Slice& slice_of(std::size_t first, std::size_t count) {
    const auto [found, is_new] = slices_.try_emplace({first, count});
    Slice& slice = found->second;
    if (!is_new) return slice;
    slice.name =
        group_.announce(fmt::format("{} {} (values {} to {})", what_, slices_.size(), first, first + count - 1));
    if (wire_ == Wire::f32) return slice;
    slice.rounded = kernels::allocate(count * sizeof(f16), group_.stream());
    if (!slice.rounded) throw environment_error("the GPU has no room for gradients in 16 bits; set dist.wire to f32");
    return slice;
  }

  template <class Rounded>
  void sum_rounded(float* values, std::size_t count, const Slice& slice, Element element) {
    auto* const rounded = reinterpret_cast<Rounded*>(slice.rounded.data());
    const auto n = static_cast<std::ptrdiff_t>(count);
    kernels::convert(rounded, static_cast<const float*>(values), n, group_.stream());
    group_.all_reduce(rounded, count, element, reduction_, slice.name);
    kernels::convert(values, static_cast<const Rounded*>(rounded), n, group_.stream());
  }

  NcclGroup& group_;
  float* values_;
  Wire wire_;
  Reduction reduction_;
  std::string what_;
  std::map<std::pair<std::size_t, std::size_t>, Slice> slices_;
};

class NcclAcross : public kernels::AcrossRanks {
 public:
  explicit NcclAcross(NcclGroup& group) : group_(group), name_(group.announce("a layer's statistics")) {}

  void sum(double*, std::size_t, kernels::CpuStream&) override {
    throw std::logic_error("NCCL sums in a GPU's memory alone");
  }
  void sum(double* values, std::size_t count, kernels::CudaStream&) override {
    group_.fork();
    group_.all_reduce(values, count, Element::f64, Reduction::sum, name_);
    group_.join();
  }

 private:
  NcclGroup& group_;
  int name_;
};

}  // namespace

std::unique_ptr<SliceSum> nccl_sum(NcclGroup& group, float* values, Wire wire, std::string what) {
  return std::make_unique<NcclSum>(group, values, wire, Reduction::sum, std::move(what));
}

std::unique_ptr<SliceSum> nccl_mean(NcclGroup& group, float* values, std::string what) {
  return std::make_unique<NcclSum>(group, values, Wire::f32, Reduction::mean, std::move(what));
}

std::unique_ptr<kernels::AcrossRanks> nccl_across(NcclGroup& group) {
  return std::make_unique<NcclAcross>(group);
}

}  // namespace plume::dist

// Sums over the ranks that never leave the GPUs' memory, by NCCL.
#pragma once

#include <memory>
#include <string>

#include "dist/nccl.hpp"
#include "dist/slice_sum.hpp"
#include "kernels/across.hpp"

namespace plume::dist {

// Of slices of `values`, in the GPU's memory. On a wire of 16 bits values are rounded on the way to a buffer of their own,
// which the slice's first sum makes. `what` names slices in errors: "gradient bucket" 2. The group must outlive it.
[[nodiscard]] std::unique_ptr<SliceSum> nccl_sum(NcclGroup& group, float* values, Wire wire, std::string what);

// The mean of the ranks' values in place of their sum, in f32.
[[nodiscard]] std::unique_ptr<SliceSum> nccl_mean(NcclGroup& group, float* values, std::string what);

// For layers, in f64.
[[nodiscard]] std::unique_ptr<kernels::AcrossRanks> nccl_across(NcclGroup& group);

}  // namespace plume::dist

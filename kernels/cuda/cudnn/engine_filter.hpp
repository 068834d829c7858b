// Which of cuDNN's engines may compute a convolution, by their notes on numerics.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/cudnn/plan_key.hpp"

namespace plume::kernels::cuda::cudnn {

// What cuDNN says of an engine (CUDNN_NUMERICAL_NOTE_...), and of a plan made of it.
struct EngineTraits {
  bool tensor_core = false;                  // multiplies f32 as TF32
  bool down_converts_inputs = false;         // to a type with fewer bits
  bool reduced_precision_reduction = false;  // sums in less than f32
  bool transforms = false;                   // FFT and Winograd: rounding that grows with the values' spread
  bool nondeterministic = false;
  std::int64_t workspace = 0;  // bytes
};

// Whether results keep the accuracy, and the plan the limits, that the key demands.
[[nodiscard]] inline bool admissible(const EngineTraits& engine, const PlanKey& key) {
  if (engine.nondeterministic && key.deterministic) return false;
  if (engine.down_converts_inputs || engine.reduced_precision_reduction || engine.transforms) return false;
  if (engine.tensor_core && key.problem.type == DType::f32 && !key.problem.tf32) return false;
  return engine.workspace <= static_cast<std::int64_t>(key.workspace_limit);
}

}  // namespace plume::kernels::cuda::cudnn

// What a plan for a convolution depends on: the key by which plans are kept.
#pragma once

#include <cstddef>
#include <string>

#include "kernels/cuda/cudnn/conv_library.hpp"

namespace plume::kernels::cuda::cudnn {

struct PlanKey {
  ConvProblem problem;
  bool deterministic = true;
  std::size_t workspace_limit = 0;  // bytes
  std::size_t version = 0;          // cuDNN's, 91900 for 9.19.0
  int architecture = 0;             // of the device, 90 for 9.0

  bool operator==(const PlanKey&) const = default;
  // All of it but version and architecture, which name the file: the key on disk. Equal where and only where those are.
  [[nodiscard]] std::string text() const;
};

struct PlanKeyHash {
  [[nodiscard]] std::size_t operator()(const PlanKey& key) const;
};

}  // namespace plume::kernels::cuda::cudnn

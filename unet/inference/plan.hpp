// From a layer graph to steps that nn's fused operations carry out.
#pragma once

#include <vector>

#include "unet/inference/graph.hpp"

namespace plume::unet {

// off: one step per layer, to look into a network or to test that fusion changes nothing.
enum class Fusion { on, off };

enum class StepKind {
  conv,            // then ReLU where relu
  conv_transpose,  // then ReLU where relu
  batch_norm,      // then ReLU where relu
  conv_norm_relu,
  conv_norm_relu_pool,  // yields two values
  norm_conv_relu,
  relu,
  max_pool,
  upsample_nearest,
  upsample_bilinear,
  upsample_aligned,
  concat,  // copies nothing: its readers take several inputs
  add,
};

struct Step {
  StepKind kind{};
  bool relu = false;
  std::vector<int> inputs;  // values: 0 is the image, i + 1 what layer i yields
  int output = 0;           // the value of the last layer in the step, before the pooling
  int pooled = -1;          // the value that was pooled on the way, where one was
  int conv = -1;            // layers in the graph, where the step has one
  int norm = -1;
  std::vector<int> done;  // values that nothing reads after this step
  bool last_use = false;  // none of its inputs is the image or read after it
};

struct Plan {
  std::vector<Step> steps;
};

[[nodiscard]] Plan make_plan(const Graph& graph, Fusion fusion);

}  // namespace plume::unet

// Replays in plume a training that PyTorch recorded (tests/parity/run_torch.py) and says how far the two part.
#pragma once

#include <filesystem>
#include <string>

#include "kernels/base/dtype.hpp"
#include "kernels/stream.hpp"
#include "unet/inference/plan.hpp"

namespace plume::tests {

// The files of one recorded training: the initial model, the batches and the record.
struct Recording {
  std::filesystem::path model;
  std::filesystem::path batches;
  std::filesystem::path record;
};

// Where the two differ most, and by how much: |ours - theirs| / |theirs| in L2 norm.
struct Worst {
  double error = 0;
  std::string where = "nowhere";
  int compared = 0;

  void add(double candidate, const std::string& name);
};

// How much of each there is to compare.
struct Counts {
  int layers = 0;  // with fusion: the steps of the plan
  int trainable = 0;
  int parameters = 0;  // running statistics too
};

struct Difference {
  Worst forward;    // layers of the first step; what plume fuses away is not compared
  Worst family;     // the logits of the same network written by hand; compared == 0 where not recorded
  Worst gradient;   // parameters' gradients of the first step
  Worst loss;       // of every step
  Worst parameter;  // after the last step, running statistics too
  Counts all;
};

// Whether a record holds the first step's layers and logits besides gradients, losses and parameters.
enum class Recorded { with_layers, without_layers };
// Fails where a record was silent on something that the network has.
void expect_all_compared(const Difference& apart, Recorded recorded);

[[nodiscard]] Difference replay(const Recording& recording, DType dtype, unet::Fusion fusion,
                                kernels::ConvPolicy convolutions = kernels::ConvPolicy::automatic);

}  // namespace plume::tests

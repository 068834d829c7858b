// Optimisers over the flat parameter buffer: AdamW, and SGD with momentum.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/stream.hpp"
#include "nn/parameters.hpp"

namespace plume::nn {

// Defaults are PyTorch's; weight decay applies to every parameter, as there.
struct OptimizerSettings {
  enum class Kind { adamw, sgd };
  Kind kind = Kind::adamw;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0.01;
};

class Optimizer {
 public:
  Optimizer(const OptimizerSettings& settings, const Parameters& parameters);

  // One update with the gradients at hand, at this learning rate.
  void step(Parameters& parameters, double rate, kernels::Stream& stream);

  // State for checkpoints: flat buffers as long as the parameters', by name, in the parameters' element type.
  struct State {
    std::string name;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] std::vector<State>& state() { return state_; }
  [[nodiscard]] const std::vector<State>& state() const { return state_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  OptimizerSettings settings_;
  std::vector<State> state_;
  std::int64_t steps_ = 0;
};

}  // namespace plume::nn

// Optimisers over the flat parameter buffer: AdamW, SGD with momentum, and for large batches LAMB and LARS, which give
// each layer a rate in proportion to its weights (kernels/functors.hpp has the sources).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/optimizer.hpp"
#include "kernels/stream.hpp"
#include "nn/buffer.hpp"
#include "nn/parameters.hpp"

namespace plume::nn {

// Defaults are PyTorch's; weight decay applies to every parameter, as there. LAMB and LARS leave biases and
// normalisations out of both decay and proportion, as is usual with them.
struct OptimizerSettings {
  enum class Kind { adamw, sgd, lamb, lars };
  Kind kind = Kind::adamw;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0.01;
  double trust = 0.001;  // LARS: a layer's step in proportion to its weights' norm, at a rate of 1
  double clip_norm = 0;  // gradients are scaled down to this norm over all parameters; 0: they are not
  double average = 0;    // decay of the moving average of values and running statistics; 0: there is none
};

class Optimizer {
 public:
  // What is frozen among the parameters stays as it is.
  Optimizer(const OptimizerSettings& settings, const Parameters& parameters);

  // One update with the gradients at hand, at this learning rate: prepare and update in one.
  void step(Parameters& parameters, double rate, kernels::Stream& stream);

  // What changes from step to step goes to the stream's memory; what follows is the same every time, so that it can be
  // recorded and replayed.
  void prepare(double rate);
  void update(Parameters& parameters, kernels::Stream& stream);

  // Whether the last update's gradients were finite; where they were not, it changed nothing. Waits for it.
  [[nodiscard]] bool finite() const;

  // Sets another network's parameters of the same declarations to the moving average, which begins with the first
  // update. Its decay after n updates is n / (n + 9) until that reaches settings.average.
  void average_into(Parameters& to) const;

  // State for checkpoints: flat buffers, by name, in the parameters' element type.
  struct State {
    std::string name;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] std::vector<State> state() const;
  // Names and sizes must be those of state().
  void set_state(const std::vector<State>& state);
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  // A slice of the flat buffers.
  struct Slice {
    std::ptrdiff_t first = 0;
    std::ptrdiff_t count = 0;
    bool adapts = false;  // is a matrix
  };
  template <class T, class Stream>
  void update_layers(Parameters& parameters, const double* squared, Stream& stream);
  // The buffers of an update over one slice.
  template <class T>
  [[nodiscard]] kernels::UpdateBuffers<T> buffers(Parameters& parameters, const Slice& slice) const;
  void note_slices(const Parameters& parameters);

  struct Named {
    std::string name;
    Buffer buffer;
  };
  OptimizerSettings settings_;
  DType dtype_;
  std::vector<Named> state_;
  Buffer constants_;            // kernels::UpdateConstants
  Buffer squared_;              // the gradients' squared norm, in f64
  std::vector<Slice> trained_;  // neighbours as one
  std::vector<Slice> frozen_;
  std::vector<Slice> layers_;  // that are trained
  Buffer norms_;               // of each layer, two in f64
  std::int64_t steps_ = 0;
};

}  // namespace plume::nn

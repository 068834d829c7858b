// The linear tape: records of operations in program order, which is a topological order, so that nothing is sorted.
#pragma once

#include <functional>
#include <vector>

#include "nn/context.hpp"
#include "nn/records.hpp"

namespace plume::nn {

class Tape {
 public:
  // Where nothing that the operation read wants a gradient (images, frozen parameters), nothing is recorded, and what
  // it gave wants none.
  void record(Record record);
  [[nodiscard]] std::vector<Record>& records() { return records_; }

 private:
  std::vector<Record> records_;
};

// Told of a parameter once its gradient is final: each parameter belongs to one record.
using GradientObserver = std::function<void(const Tensor& parameter)>;

// Runs the records in reverse and empties the tape; each record's tensors are freed as soon as it has run. The gradient of
// the output must be there already (a loss wrote it). A gradient's first contribution is written, later ones are added.
void backward(const Context& context, Tape& tape, const GradientObserver& written = {});

}  // namespace plume::nn

// The linear tape: records of operations in program order, which is a topological order, so that nothing is sorted.
#pragma once

#include <utility>
#include <vector>

#include "nn/context.hpp"
#include "nn/records.hpp"

namespace plume::nn {

class Tape {
 public:
  void record(Record record) { records_.push_back(std::move(record)); }
  [[nodiscard]] std::vector<Record>& records() { return records_; }

 private:
  std::vector<Record> records_;
};

// Runs the records in reverse and empties the tape; each record's tensors are freed as soon as it has run. The gradient of
// the output must be there already (a loss wrote it). A gradient's first contribution is written, later ones are added.
void backward(const Context& context, Tape& tape);

}  // namespace plume::nn

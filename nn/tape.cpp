// The backward pass over the tape.
#include "nn/tape.hpp"

#include <variant>

#include "kernels/cuda/range.hpp"
#include "nn/ops/backward.hpp"

namespace plume::nn {

void backward(const Context& context, Tape& tape) {
  auto& records = tape.records();
  while (!records.empty()) {
    std::visit(
        [&](const auto& record) {
          if (!record.y.has_gradient()) return;  // nothing that the loss depends on
          const kernels::ProfileRange range(record.y.name() + ".backward");
          backward(context, record);
          record.y.drop_gradient();
        },
        records.back());
    records.pop_back();
  }
}

}  // namespace plume::nn

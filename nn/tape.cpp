// The backward pass over the tape.
#include "nn/tape.hpp"

#include <variant>

#include "kernels/profile.hpp"
#include "nn/ops/backward.hpp"

namespace plume::nn {
namespace {

// Whether the loss depends on what the operation gave.
template <class Record>
bool reached(const Record& record) {
  return record.y.has_gradient();
}
bool reached(const BatchNormRecord& record) {
  return record.y.has_gradient() || (record.pooled && record.pooled.has_gradient());
}

template <class Record>
void for_parameters(const Record&, const GradientObserver&) {}
template <class Record>
requires requires(const Record& record) {
  record.weight;
}
void for_parameters(const Record& record, const GradientObserver& written) {
  if (record.weight.wants_gradient()) written(record.weight);
  if (record.bias && record.bias.wants_gradient()) written(record.bias);
}
void for_parameters(const BatchNormRecord& record, const GradientObserver& written) {
  if (record.gamma.wants_gradient()) written(record.gamma);
  if (record.beta.wants_gradient()) written(record.beta);
}

}  // namespace

void backward(const Context& context, Tape& tape, const GradientObserver& written) {
  auto& records = tape.records();
  while (!records.empty()) {
    std::visit(
        [&](const auto& record) {
          if (!reached(record)) return;
          const kernels::ProfileRange range(context.stream, record.y.name(), "backward");
          backward(context, record);
          record.y.drop_gradient();
          if (written) for_parameters(record, written);
        },
        records.back());
    records.pop_back();
  }
}

}  // namespace plume::nn

// What is worth recording. In a file of its own: recording links no backward pass.
#include <algorithm>
#include <utility>
#include <variant>

#include "nn/tape.hpp"

namespace plume::nn {
namespace {

bool wants(const Tensor& tensor) {
  return tensor && tensor.wants_gradient();
}
bool wants(const Inputs& inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const Tensor& tensor) { return wants(tensor); });
}

// Whether a gradient is wanted of anything that the operation read.
template <class Record>
bool leads_on(const Record& record) {
  return wants(record.x);
}
template <class Record>
requires requires(const Record& record) {
  record.weight;
}
bool leads_on(const Record& record) {
  return wants(record.x) || wants(record.weight) || wants(record.bias);
}
bool leads_on(const BatchNormRecord& record) {
  return wants(record.x) || wants(record.gamma) || wants(record.beta);
}
bool leads_on(const AddRecord& record) {
  return wants(record.a) || wants(record.b);
}

template <class Record>
void ends_here(const Record& record) {
  record.y.want_no_gradient();
}
void ends_here(const BatchNormRecord& record) {
  record.y.want_no_gradient();
  if (record.pooled) record.pooled.want_no_gradient();
}

}  // namespace

void Tape::record(Record record) {
  const bool needed = std::visit([](const auto& concrete) { return leads_on(concrete); }, record);
  if (needed) {
    records_.push_back(std::move(record));
  } else {
    std::visit([](const auto& concrete) { ends_here(concrete); }, record);
  }
}

}  // namespace plume::nn

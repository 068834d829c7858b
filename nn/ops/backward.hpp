// The backward pass of every record, in files of their own: a program that only infers links none of them.
#pragma once

#include <vector>

#include "nn/context.hpp"
#include "nn/records.hpp"

namespace plume::nn {

void backward(const Context& context, const ConvRecord& record);
void backward(const Context& context, const ConvTransposeRecord& record);
void backward(const Context& context, const BatchNormRecord& record);
void backward(const Context& context, const ReluRecord& record);
void backward(const Context& context, const SigmoidRecord& record);
void backward(const Context& context, const SoftmaxRecord& record);
void backward(const Context& context, const MaxPoolRecord& record);
void backward(const Context& context, const UpsampleRecord& record);
void backward(const Context& context, const AddRecord& record);
void backward(const Context& context, const ConcatRecord& record);

// Where a backward pass puts the gradient of one of its inputs. Made outside Context::run, so that a dry step counts the
// memory too.
struct GradientSlot {
  Tensor tensor;
  bool wanted = false;
  bool add = false;  // to what is there, from another use of the tensor

  GradientSlot() = default;
  GradientSlot(const Context& context, const Tensor& tensor_) : tensor(tensor_) {
    wanted = tensor && tensor.wants_gradient();
    add = wanted && tensor.prepare_gradient(context.arena);
  }
  // Null data where no gradient is wanted.
  template <class T>
  [[nodiscard]] kernels::Image<T> image() const {
    return wanted ? tensor.gradient_image<T>() : kernels::Image<T>{};
  }
};

inline std::vector<GradientSlot> gradient_slots(const Context& context, const Inputs& inputs) {
  std::vector<GradientSlot> slots;
  for (const Tensor& tensor : inputs) slots.emplace_back(context, tensor);
  return slots;
}

}  // namespace plume::nn

// Copies between host and device, converted on the host.
#include "nn/transfer.hpp"

#include <type_traits>
#include <utility>
#include <variant>

#include "kernels/memory.hpp"
#include "nn/context.hpp"

namespace plume::nn {
namespace {

// body(concrete stream, a value of the tensor's element type)
template <class Body>
void with_values(const Tensor& tensor, kernels::Stream& stream, const Body& body) {
  std::visit([&](auto& concrete) { with_element(tensor.dtype(), concrete, [&](auto e) { body(concrete, e); }); },
             stream);
}

}  // namespace

void upload(const Tensor& tensor, const float* values, kernels::Stream& stream) {
  with_values(tensor, stream, [&](auto& concrete, auto element) {
    using T = decltype(element);
    if constexpr (std::is_same_v<T, float>) {
      kernels::upload(tensor.data<T>(), values, tensor.bytes(), concrete);
    } else {
      std::vector<T> converted;
      converted.reserve(tensor.shape().count());
      for (std::size_t i = 0; i < tensor.shape().count(); ++i) converted.push_back(static_cast<T>(values[i]));
      kernels::upload(tensor.data<T>(), converted.data(), tensor.bytes(), concrete);
    }
  });
}

std::vector<float> download(const Tensor& tensor, kernels::Stream& stream) {
  std::vector<float> values;
  with_values(tensor, stream, [&](auto& concrete, auto element) {
    using T = decltype(element);
    std::vector<T> there(tensor.shape().count());
    kernels::download(there.data(), tensor.data<T>(), tensor.bytes(), concrete);
    if constexpr (std::is_same_v<T, float>) {
      values = std::move(there);
    } else {
      values.reserve(there.size());
      for (const T value : there) values.push_back(static_cast<float>(value));
    }
  });
  return values;
}

}  // namespace plume::nn

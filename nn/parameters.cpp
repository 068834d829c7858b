// The flat buffers, and the way between memory's and files' layouts.
#include "nn/parameters.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "kernels/base/error.hpp"

namespace plume::nn {
namespace {

constexpr std::size_t alignment = 64;

// Calls body(index in memory, index in the file) for every element.
template <class Body>
void for_elements(const ParameterInfo& info, const Body& body) {
  const auto kernel = static_cast<std::size_t>(info.shape.n);
  const auto in = static_cast<std::size_t>(info.shape.w);
  const auto out = static_cast<std::size_t>(info.shape.c);
  if (info.kind == ParameterKind::vector || info.kind == ParameterKind::statistic) {
    for (std::size_t i = 0; i < info.shape.count(); ++i) body(i, i);
    return;
  }
  const std::size_t taps = kernel * kernel;
  const bool out_first = info.kind == ParameterKind::conv_weight;
  for (std::size_t tap = 0; tap < taps; ++tap) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t o = 0; o < out; ++o) {
        body((tap * in + i) * out + o, (out_first ? o * in + i : i * out + o) * taps + tap);
      }
    }
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

}  // namespace

void Parameters::Buffer::Free::operator()(std::byte* memory) const noexcept {
  std::free(memory);
}

void Parameters::Buffer::resize(std::size_t bytes) {
  const std::size_t rounded = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  memory_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
  if (!memory_) throw environment_error("out of memory: {} bytes for parameters", bytes);
  std::memset(memory_.get(), 0, rounded);
}

void Parameters::declare(std::string name, Shape shape, ParameterKind kind) {
  std::size_t& size = sizes_[kind == ParameterKind::statistic ? 1 : 0];
  infos_.push_back({std::move(name), shape, kind, size});
  const std::size_t step = alignment / size_of(dtype_);
  size += (shape.count() + step - 1) / step * step;
}

void Parameters::allocate() {
  values_.resize(sizes_[0] * size_of(dtype_));
  gradients_.resize(sizes_[0] * size_of(dtype_));
  statistics_.resize(sizes_[1] * size_of(dtype_));
}

const ParameterInfo* Parameters::find(std::string_view name) const {
  const auto found = std::find_if(infos_.begin(), infos_.end(), [&](const auto& info) { return info.name == name; });
  return found == infos_.end() ? nullptr : &*found;
}

Tensor Parameters::tensor(std::string_view name) const {
  const ParameterInfo* info = find(name);
  if (info == nullptr) throw std::out_of_range("no parameter " + std::string(name));
  const std::size_t offset = info->offset * size_of(dtype_);
  if (info->kind == ParameterKind::statistic) {
    return {info->shape, dtype_, info->name, statistics_.data() + offset, nullptr};
  }
  return {info->shape, dtype_, info->name, values_.data() + offset, gradients_.data() + offset};
}

std::size_t Parameters::trainable_count() const {
  std::size_t count = 0;
  for (const auto& info : infos_) count += info.kind == ParameterKind::statistic ? 0 : info.shape.count();
  return count;
}

void Parameters::zero_gradients() {
  std::memset(gradients_.data(), 0, sizes_[0] * size_of(dtype_));
}

std::vector<std::int64_t> file_shape(const ParameterInfo& info) {
  const Shape& s = info.shape;
  switch (info.kind) {
    case ParameterKind::conv_weight: return {s.c, s.w, s.n, s.h};
    case ParameterKind::conv_transpose_weight: return {s.w, s.c, s.n, s.h};
    case ParameterKind::vector:
    case ParameterKind::statistic: break;
  }
  return {s.c};
}

NamedTensor Parameters::named(const ParameterInfo& info, const std::byte* buffer) const {
  NamedTensor tensor{info.name, file_shape(info), std::vector<float>(info.shape.count())};
  with_type(dtype_, [&](auto element) {
    const auto* from = reinterpret_cast<const decltype(element)*>(buffer) + info.offset;
    for_elements(info,
                 [&](std::size_t memory, std::size_t file) { tensor.values[file] = static_cast<float>(from[memory]); });
  });
  return tensor;
}

NamedTensor Parameters::to_named(const ParameterInfo& info) const {
  return named(info, info.kind == ParameterKind::statistic ? statistics_.data() : values_.data());
}

NamedTensor Parameters::gradient_to_named(const ParameterInfo& info) const {
  if (info.kind == ParameterKind::statistic) throw std::logic_error(info.name + " has no gradient");
  return named(info, gradients_.data());
}

void Parameters::from_named(const ParameterInfo& info, const NamedTensor& tensor) {
  if (tensor.shape != file_shape(info)) {
    throw input_error("parameter {} has shape {}; the model needs {}", info.name, shape_text(tensor.shape),
                      shape_text(file_shape(info)));
  }
  std::byte* buffer = info.kind == ParameterKind::statistic ? statistics_.data() : values_.data();
  with_type(dtype_, [&](auto element) {
    using T = decltype(element);
    T* to = reinterpret_cast<T*>(buffer) + info.offset;
    for_elements(info, [&](std::size_t memory, std::size_t file) { to[memory] = static_cast<T>(tensor.values[file]); });
  });
}

}  // namespace plume::nn

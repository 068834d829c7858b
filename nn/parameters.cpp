// The flat buffers, and the way between memory's and files' layouts.
#include "nn/parameters.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>

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

// Whether a name is what a pattern says, with * for any text.
bool fits(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*')
    return !name.empty() && name.front() == pattern.front() && fits(name.substr(1), pattern.substr(1));
  for (std::size_t skipped = 0; skipped <= name.size(); ++skipped)
    if (fits(name.substr(skipped), pattern.substr(1))) return true;
  return false;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

}  // namespace

void Parameters::declare(std::string name, Shape shape, ParameterKind kind) {
  std::size_t& size = sizes_[kind == ParameterKind::statistic ? 1 : 0];
  infos_.push_back({std::move(name), shape, kind, size});
  const std::size_t step = alignment / size_of(dtype_);
  size += (shape.count() + step - 1) / step * step;
}

void Parameters::allocate(Gradients gradients) {
  values_ = Buffer(stream_, sizes_[0] * size_of(dtype_), "parameters");
  if (gradients == Gradients::yes) gradients_ = Buffer(stream_, sizes_[0] * size_of(dtype_), "gradients");
  statistics_ = Buffer(stream_, sizes_[1] * size_of(dtype_), "running statistics");
  if (rounded_) copy_ = Buffer(stream_, sizes_[0] * size_of(DType::bf16), "rounded parameters");
}

void Parameters::freeze(const std::vector<std::string>& names) {
  std::vector<bool> used(names.size());
  for (ParameterInfo& info : infos_) {
    if (info.kind == ParameterKind::statistic) continue;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!fits(info.name, names[i])) continue;
      used[i] = true;
      info.frozen = true;
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!used[i])
      throw input_error("train.freeze: no parameter is called {}; their names are as {} or {}", names[i],
                        infos_.front().name, infos_.back().name);
  }
  const bool left = std::any_of(infos_.begin(), infos_.end(), [](const ParameterInfo& info) {
    return info.kind != ParameterKind::statistic && !info.frozen;
  });
  if (!left) throw input_error("train.freeze leaves no parameter to train");
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
  std::byte* rounded = rounded_ ? copy_.data() + info->offset * size_of(DType::bf16) : nullptr;
  std::byte* gradient = gradients_.size() > 0 && !info->frozen ? gradients_.data() + offset : nullptr;
  return {info->shape, dtype_, info->name, values_.data() + offset, gradient, rounded};
}

std::size_t Parameters::trainable_count() const {
  std::size_t count = 0;
  for (const auto& info : infos_) count += info.kind == ParameterKind::statistic ? 0 : info.shape.count();
  return count;
}

void Parameters::set_flat(const Buffer& values, const Buffer& statistics) {
  if (values.size() != values_.size() || statistics.size() != statistics_.size())
    throw std::logic_error("another network's parameters");
  with_type(dtype_, [&](auto element) {
    using T = decltype(element);
    std::vector<T> flat(sizes_[0]);
    values.read(flat.data(), 0, values.size());
    values_.write(0, flat.data(), values.size());
    if (rounded_) {
      std::vector<bf16> copy;
      for (const T value : flat) copy.emplace_back(static_cast<float>(value));
      copy_.write(0, copy.data(), copy.size() * sizeof(bf16));
    }
    flat.resize(sizes_[1]);
    statistics.read(flat.data(), 0, statistics.size());
    statistics_.write(0, flat.data(), statistics.size());
  });
}

bool Parameters::finite() const {
  return with_type(dtype_, [&](auto element) {
    const auto all_finite = [&](const Buffer& buffer, std::size_t size) {
      std::vector<decltype(element)> values(size);
      buffer.read(values.data(), 0, buffer.size());
      return std::all_of(values.begin(), values.end(), [](auto value) { return std::isfinite(value); });
    };
    return all_finite(values_, sizes_[0]) && all_finite(statistics_, sizes_[1]);
  });
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

NamedTensor Parameters::named(const ParameterInfo& info, const Buffer& buffer) const {
  NamedTensor tensor{info.name, file_shape(info), std::vector<float>(info.shape.count())};
  with_type(dtype_, [&](auto element) {
    std::vector<decltype(element)> from(info.shape.count());
    buffer.read(from.data(), info.offset * sizeof element, from.size() * sizeof element);
    for_elements(info,
                 [&](std::size_t memory, std::size_t file) { tensor.values[file] = static_cast<float>(from[memory]); });
  });
  return tensor;
}

NamedTensor Parameters::to_named(const ParameterInfo& info) const {
  return named(info, info.kind == ParameterKind::statistic ? statistics_ : values_);
}

NamedTensor Parameters::gradient_to_named(const ParameterInfo& info) const {
  if (info.kind == ParameterKind::statistic || gradients_.size() == 0) {
    throw std::logic_error(info.name + " has no gradient");
  }
  return named(info, gradients_);
}

void Parameters::from_named(const ParameterInfo& info, const NamedTensor& tensor) {
  if (tensor.shape != file_shape(info)) {
    throw input_error("parameter {} has shape {}; the model needs {}", info.name, shape_text(tensor.shape),
                      shape_text(file_shape(info)));
  }
  const bool statistic = info.kind == ParameterKind::statistic;
  with_type(dtype_, [&](auto element) {
    using T = decltype(element);
    std::vector<T> to(info.shape.count());
    for_elements(info, [&](std::size_t memory, std::size_t file) { to[memory] = static_cast<T>(tensor.values[file]); });
    (statistic ? statistics_ : values_).write(info.offset * sizeof(T), to.data(), to.size() * sizeof(T));
    if (rounded_ && !statistic) {
      std::vector<bf16> copy;
      for (const T value : to) copy.emplace_back(static_cast<float>(value));
      copy_.write(info.offset * sizeof(bf16), copy.data(), copy.size() * sizeof(bf16));
    }
  });
}

}  // namespace plume::nn

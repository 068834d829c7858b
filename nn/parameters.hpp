// All parameters of a network in flat buffers: one for values, one for gradients, one for running statistics.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "nn/buffer.hpp"
#include "nn/named_tensor.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

// How a parameter is kept in files; in memory convolution weights are [kernel][kernel][in][out].
enum class ParameterKind {
  conv_weight,            // file: (out, in, kernel, kernel)
  conv_transpose_weight,  // file: (in, out, kernel, kernel)
  vector,                 // file: (c)
  statistic,              // file: (c); no gradient, not an optimiser's business
};

struct ParameterInfo {
  std::string name;  // dotted
  Shape shape;
  ParameterKind kind{};
  std::size_t offset = 0;  // elements into its buffer; multiples of 64 bytes, the gaps stay zero
  bool frozen = false;     // stays as it is; no gradient
};

// Whether there is memory for gradients: who only predicts wants none.
enum class Gradients { yes, no };

// Usage: declare() each, allocate() once, freeze() maybe, then tensor() by name.
class Parameters {
 public:
  // f32 or f64; bf16: values in f32 with a rounded copy beside them, which convolutions read (Tensor::as).
  // The buffers are the stream's memory, which must outlive them; without one (null) the host's.
  explicit Parameters(DType dtype = DType::f32, kernels::Stream* stream = nullptr)
      : dtype_(widened(dtype)), rounded_(dtype == DType::bf16), stream_(stream) {}

  void declare(std::string name, Shape shape, ParameterKind kind);
  // Zeroed memory for all.
  void allocate(Gradients gradients = Gradients::yes);

  // Parameters that stay as they are, by name; * stands for any text. Tensors that were given out before want a
  // gradient all the same. Throws input_error where a name fits no parameter, or nothing is left to train.
  void freeze(const std::vector<std::string>& names);

  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] kernels::Stream* stream() const { return stream_; }
  [[nodiscard]] const std::vector<ParameterInfo>& all() const { return infos_; }
  [[nodiscard]] const ParameterInfo* find(std::string_view name) const;
  // Throws std::out_of_range for a name that was not declared.
  [[nodiscard]] Tensor tensor(std::string_view name) const;
  [[nodiscard]] std::size_t trainable_count() const;  // without the gaps

  // The flat buffers of trainable parameters, gaps included, in the stream's memory.
  [[nodiscard]] std::size_t flat_size() const { return sizes_[0]; }
  template <class T>
  [[nodiscard]] T* values() const {
    return reinterpret_cast<T*>(values_.data());
  }
  template <class T>
  [[nodiscard]] T* gradients() const {  // null where there are none
    return reinterpret_cast<T*>(gradients_.data());
  }
  // The flat buffer of statistics, likewise.
  [[nodiscard]] std::size_t statistics_size() const { return sizes_[1]; }
  template <class T>
  [[nodiscard]] T* statistics() const {
    return reinterpret_cast<T*>(statistics_.data());
  }
  // The values rounded; null where there is no such copy. Who changes values changes them too.
  [[nodiscard]] bf16* rounded() const { return reinterpret_cast<bf16*>(copy_.data()); }

  // Sets both flat buffers, gaps included, in this element type; the rounded copy follows.
  void set_flat(const Buffer& values, const Buffer& statistics);

  // Whether no value or statistic is infinite or NaN.
  [[nodiscard]] bool finite() const;

  // A parameter in the layout of files, as float.
  [[nodiscard]] NamedTensor to_named(const ParameterInfo& info) const;
  [[nodiscard]] NamedTensor gradient_to_named(const ParameterInfo& info) const;
  // Throws input_error naming the parameter where the shape differs.
  void from_named(const ParameterInfo& info, const NamedTensor& tensor);

 private:
  [[nodiscard]] NamedTensor named(const ParameterInfo& info, const Buffer& buffer) const;

  DType dtype_;
  bool rounded_;
  kernels::Stream* stream_;
  std::vector<ParameterInfo> infos_;
  std::size_t sizes_[2] = {0, 0};  // elements of the trainable buffer and of the statistics
  Buffer values_;
  Buffer gradients_;
  Buffer statistics_;
  Buffer copy_;
};

// The shape that a parameter has in files.
[[nodiscard]] std::vector<std::int64_t> file_shape(const ParameterInfo& info);

}  // namespace plume::nn

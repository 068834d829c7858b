// All parameters of a network in flat buffers: one for values, one for gradients, one for running statistics.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
};

// Usage: declare() each, allocate() once, then tensor() by name.
class Parameters {
 public:
  explicit Parameters(DType dtype = DType::f32) : dtype_(dtype) {}

  void declare(std::string name, Shape shape, ParameterKind kind);
  // Zeroed memory for all.
  void allocate();

  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] const std::vector<ParameterInfo>& all() const { return infos_; }
  [[nodiscard]] const ParameterInfo* find(std::string_view name) const;
  // Throws std::out_of_range for a name that was not declared.
  [[nodiscard]] Tensor tensor(std::string_view name) const;
  [[nodiscard]] std::size_t trainable_count() const;  // without the gaps

  // The flat buffers of trainable parameters, gaps included.
  [[nodiscard]] std::size_t flat_size() const { return sizes_[0]; }
  template <class T>
  [[nodiscard]] T* values() const {
    return reinterpret_cast<T*>(values_.data());
  }
  template <class T>
  [[nodiscard]] T* gradients() const {
    return reinterpret_cast<T*>(gradients_.data());
  }
  void zero_gradients();

  // A parameter in the layout of files, as float.
  [[nodiscard]] NamedTensor to_named(const ParameterInfo& info) const;
  [[nodiscard]] NamedTensor gradient_to_named(const ParameterInfo& info) const;
  // Throws input_error naming the parameter where the shape differs.
  void from_named(const ParameterInfo& info, const NamedTensor& tensor);

 private:
  // Heap memory, 64-byte aligned and zeroed.
  class Buffer {
   public:
    void resize(std::size_t bytes);
    [[nodiscard]] std::byte* data() const { return memory_.get(); }

   private:
    struct Free {
      void operator()(std::byte* memory) const noexcept;
    };
    std::unique_ptr<std::byte, Free> memory_;
  };

  [[nodiscard]] NamedTensor named(const ParameterInfo& info, const std::byte* buffer) const;

  DType dtype_;
  std::vector<ParameterInfo> infos_;
  std::size_t sizes_[2] = {0, 0};  // elements of the trainable buffer and of the statistics
  Buffer values_;
  Buffer gradients_;
  Buffer statistics_;
};

// The shape that a parameter has in files.
[[nodiscard]] std::vector<std::int64_t> file_shape(const ParameterInfo& info);

}  // namespace plume::nn

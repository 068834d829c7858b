// What the tape keeps of each operation for its backward pass. Plain data: the inference binary makes none of them and
// links none of the code that reads them.
#pragma once

#include <string_view>
#include <variant>

#include "kernels/batch_norm.hpp"
#include "kernels/convolution.hpp"
#include "kernels/upsample.hpp"
#include "nn/tensor.hpp"

namespace plume::nn {

struct ConvRecord {
  static constexpr std::string_view name = "conv2d";
  Inputs x;
  Tensor y;
  Tensor weight;
  Tensor bias;  // empty where there is none
  kernels::ConvGeometry geometry;
  bool relu = false;
};

struct ConvTransposeRecord {
  static constexpr std::string_view name = "conv_transpose2d";
  Inputs x;
  Tensor y;
  Tensor weight;
  Tensor bias;
  kernels::ConvGeometry geometry;
  bool relu = false;
};

struct BatchNormRecord {
  static constexpr std::string_view name = "batch_norm";
  Inputs x;
  Tensor y;
  Tensor gamma;
  Tensor beta;
  Tensor mean;
  Tensor inverse_std;
  bool relu = false;
  bool batch = true;      // statistics are the batch's
  bool sole_use = false;  // nothing else reads x, so its gradient may take y's memory
  Tensor pooled;          // y max-pooled; empty where it was not
  Block index;            // of the pooling: one byte per output value
};

struct ReluRecord {
  static constexpr std::string_view name = "relu";
  Tensor x;
  Tensor y;
};

struct SigmoidRecord {
  static constexpr std::string_view name = "sigmoid";
  Tensor x;
  Tensor y;
};

struct SoftmaxRecord {
  static constexpr std::string_view name = "softmax";
  Tensor x;
  Tensor y;
};

struct MaxPoolRecord {
  static constexpr std::string_view name = "max_pool";
  Tensor x;
  Tensor y;
  Block index;  // one byte per output value
};

struct UpsampleRecord {
  static constexpr std::string_view name = "upsample";
  Tensor x;
  Tensor y;
  kernels::Interpolation interpolation{};
};

struct AddRecord {
  static constexpr std::string_view name = "add";
  Tensor a;
  Tensor b;
  Tensor y;
};

struct ConcatRecord {
  static constexpr std::string_view name = "concat";
  Inputs x;
  Tensor y;
};

using Record = std::variant<ConvRecord, ConvTransposeRecord, BatchNormRecord, ReluRecord, SigmoidRecord, SoftmaxRecord,
                            MaxPoolRecord, UpsampleRecord, AddRecord, ConcatRecord>;

}  // namespace plume::nn

// What a library of convolutions is asked for: cuDNN, or in tests a stand-in.
#pragma once

#include <cstdint>

#include "kernels/convolution.hpp"

namespace plume::kernels::cuda {

enum class ConvDirection : std::uint8_t { forward, backward_data, backward_weight };

// One convolution of packed arrays: images NHWC, weights [out][kernel][kernel][in]; every array 16-byte aligned.
struct ConvProblem {
  ConvDirection direction = ConvDirection::forward;
  int n = 0, h = 0, w = 0, c = 0;  // the image that the forward pass reads
  int k = 0;                       // channels of the image that it writes
  ConvGeometry geometry;
  DType type = DType::f32;  // of images and weights, and of their gradients; sums are f32
  bool tf32 = false;        // f32 may be multiplied as TF32

  // Forward: output = relu(conv(image, weight) + sum + bias), each where asked; bias is f32 and sum is like the output.
  bool sum = false;
  bool bias = false;
  bool relu = false;
  int bias_alignment = 16;  // bytes

  [[nodiscard]] int output_h() const { return geometry.output_rows(h); }
  [[nodiscard]] int output_w() const { return geometry.output_columns(w); }
  bool operator==(const ConvProblem&) const = default;
};

// Device memory. Of image, weight and output (or their gradients) the two that are read are set; `result` is the third.
struct ConvOperands {
  const void* image = nullptr;
  const void* weight = nullptr;
  const void* output = nullptr;
  const void* sum = nullptr;
  const float* bias = nullptr;
  void* result = nullptr;
};

class ConvLibrary {
 public:
  ConvLibrary() = default;
  ConvLibrary(const ConvLibrary&) = delete;
  ConvLibrary& operator=(const ConvLibrary&) = delete;
  virtual ~ConvLibrary() = default;

  // Whether run() can do it; may take seconds the first time, and then measures on memory of its own.
  [[nodiscard]] virtual bool supports(const ConvProblem& problem, CudaStream& stream) = 0;
  // Queues what supports() said yes to.
  virtual void run(const ConvProblem& problem, const ConvOperands& operands, CudaStream& stream) = 0;
};

}  // namespace plume::kernels::cuda

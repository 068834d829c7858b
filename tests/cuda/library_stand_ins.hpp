// Stand-ins for cuDNN and cuBLASLt that compute on the host in double: what brings plume's operations into the
// libraries' form is tested with them where there is no GPU.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "device_array.hpp"
#include "kernels/cuda/cublaslt/product_library.hpp"
#include "kernels/cuda/cudnn/conv_library.hpp"

namespace plume::tests {

using kernels::cuda::ConvDirection;
using kernels::cuda::ConvOperands;
using kernels::cuda::ConvProblem;
using kernels::cuda::MatrixProduct;

// `count` elements of device memory. The libraries are promised 16-byte alignment.
template <class T>
std::vector<double> fetch_elements(const void* from, std::size_t count, kernels::CudaStream& stream) {
  std::vector<T> elements(count);
  kernels::download(elements.data(), from, count * sizeof(T), stream);
  return {elements.begin(), elements.end()};
}
inline std::vector<double> fetch(const void* from, std::size_t count, DType type, kernels::CudaStream& stream) {
  return type == DType::bf16 ? fetch_elements<bf16>(from, count, stream) : fetch_elements<float>(from, count, stream);
}

template <class T>
void put_elements(void* to, const std::vector<double>& values, kernels::CudaStream& stream) {
  std::vector<T> elements;
  for (const double value : values) elements.push_back(element<T>(value));
  kernels::upload(to, elements.data(), elements.size() * sizeof(T), stream);
  stream.synchronize();  // `elements` ends here
}
inline void put(void* to, const std::vector<double>& values, DType type, kernels::CudaStream& stream) {
  type == DType::bf16 ? put_elements<bf16>(to, values, stream) : put_elements<float>(to, values, stream);
}

class ConvStandIn final : public kernels::cuda::ConvLibrary {
 public:
  using Accept = std::function<bool(const ConvProblem&)>;
  explicit ConvStandIn(
      std::vector<ConvProblem>& runs, Accept accept = [](const ConvProblem&) { return true; })
      : runs_(runs), accept_(std::move(accept)) {}

  bool supports(const ConvProblem& problem, kernels::CudaStream&) override { return accept_(problem); }

  void run(const ConvProblem& p, const ConvOperands& operands, kernels::CudaStream& stream) override {
    EXPECT_TRUE(accept_(p));
    for (const void* pointer :
         {operands.image, operands.weight, operands.output, operands.sum, static_cast<const void*>(operands.result)}) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pointer) % 16, 0U);
    }
    runs_.push_back(p);
    switch (p.direction) {
      case ConvDirection::forward: return forward(p, operands, stream);
      case ConvDirection::backward_data: return backward_data(p, operands, stream);
      case ConvDirection::backward_weight: return backward_weight(p, operands, stream);
    }
  }

 private:
  static std::size_t image_size(const ConvProblem& p) { return static_cast<std::size_t>(p.n * p.h * p.w * p.c); }
  static std::size_t output_size(const ConvProblem& p) {
    return static_cast<std::size_t>(p.n * p.output_h() * p.output_w() * p.k);
  }
  static std::size_t weight_size(const ConvProblem& p) {
    return static_cast<std::size_t>(p.geometry.kernel * p.geometry.kernel * p.c * p.k);
  }
  static kernels::Image<double> image(std::vector<double>& values, const ConvProblem& p) {
    return {values.data(), p.n, p.h, p.w, p.c};
  }
  static kernels::Image<double> output(std::vector<double>& values, const ConvProblem& p) {
    return {values.data(), p.n, p.output_h(), p.output_w(), p.k};
  }

  // visit(index in [out][tap][in], index in [tap][in][out])
  template <class Visit>
  static void for_weights(const ConvProblem& p, const Visit& visit) {
    const auto taps = static_cast<std::size_t>(p.geometry.kernel * p.geometry.kernel);
    const auto channels = static_cast<std::size_t>(p.c);
    const auto outputs = static_cast<std::size_t>(p.k);
    for (std::size_t k = 0; k < outputs; ++k) {
      for (std::size_t tap = 0; tap < taps; ++tap) {
        for (std::size_t c = 0; c < channels; ++c) {
          visit((k * taps + tap) * channels + c, (tap * channels + c) * outputs + k);
        }
      }
    }
  }
  static std::vector<double> weights(const ConvProblem& p, const void* from, kernels::CudaStream& stream) {
    const auto theirs = fetch(from, weight_size(p), p.type, stream);
    std::vector<double> ours(theirs.size());
    for_weights(p, [&](std::size_t their, std::size_t our) { ours[our] = theirs[their]; });
    return ours;
  }

  void forward(const ConvProblem& p, const ConvOperands& operands, kernels::CudaStream& stream) {
    auto x = fetch(operands.image, image_size(p), p.type, stream);
    const auto w = weights(p, operands.weight, stream);
    std::vector<double> bias(static_cast<std::size_t>(p.k)), y(output_size(p));
    if (p.bias) bias = fetch(operands.bias, bias.size(), DType::f32, stream);
    kernels::conv2d_forward<double>(output(y, p), image(x, p), w.data(), bias.data(), p.geometry, false, cpu_);
    if (p.sum) y = sum_of(y, fetch(operands.sum, y.size(), p.type, stream));
    for (double& value : y) value = p.relu ? std::max(value, 0.0) : value;
    put(operands.result, y, p.type, stream);
  }

  void backward_data(const ConvProblem& p, const ConvOperands& operands, kernels::CudaStream& stream) {
    auto grad_out = fetch(operands.output, output_size(p), p.type, stream);
    const auto w = weights(p, operands.weight, stream);
    std::vector<double> grad_in(image_size(p));
    kernels::conv2d_backward_data<double>(image(grad_in, p), output(grad_out, p), w.data(), {0, p.c}, p.geometry, false,
                                          cpu_);
    put(operands.result, grad_in, p.type, stream);
  }

  void backward_weight(const ConvProblem& p, const ConvOperands& operands, kernels::CudaStream& stream) {
    auto x = fetch(operands.image, image_size(p), p.type, stream);
    auto grad_out = fetch(operands.output, output_size(p), p.type, stream);
    std::vector<double> ours(weight_size(p)), theirs(weight_size(p));
    kernels::conv2d_backward_weight<double>(ours.data(), image(x, p), output(grad_out, p), p.geometry, false, cpu_);
    for_weights(p, [&](std::size_t their, std::size_t our) { theirs[their] = ours[our]; });
    put(operands.result, theirs, p.type, stream);
  }

  std::vector<ConvProblem>& runs_;
  Accept accept_;
  kernels::CpuStream cpu_{1};
};

class ProductStandIn final : public kernels::cuda::ProductLibrary {
 public:
  explicit ProductStandIn(std::vector<MatrixProduct>& runs) : runs_(runs) {}

  bool multiply(void* result, const void* a, const void* b, const MatrixProduct& p,
                kernels::CudaStream& stream) override {
    runs_.push_back(p);
    const int a_rows = p.transpose_a ? p.inner : p.rows;
    const int a_columns = p.transpose_a ? p.rows : p.inner;
    const auto x = fetch(a, extent(a_rows, a_columns, p.a_stride, p.batch, p.a_batch), p.type, stream);
    const auto y = fetch(b, extent(p.inner, p.columns, p.b_stride, p.batch, p.b_batch), p.type, stream);
    // Fetched even where nothing is added: there may be other people's elements between its rows.
    auto z = fetch(result, extent(p.rows, p.columns, p.result_stride, p.batch, p.result_batch), p.result, stream);
    for (int i = 0; i < p.batch; ++i) {
      for (int row = 0; row < p.rows; ++row) {
        for (int column = 0; column < p.columns; ++column) {
          double sum = 0;
          for (int k = 0; k < p.inner; ++k) {
            const std::ptrdiff_t in_a = p.transpose_a ? k * p.a_stride + row : row * p.a_stride + k;
            sum += x[at(i * p.a_batch + in_a)] * y[at(i * p.b_batch + k * p.b_stride + column)];
          }
          double& to = z[at(i * p.result_batch + row * p.result_stride + column)];
          to = p.add ? to + sum : sum;
        }
      }
    }
    put(result, z, p.result, stream);
    return true;
  }

 private:
  static std::size_t at(std::ptrdiff_t index) { return static_cast<std::size_t>(index); }
  static std::size_t extent(int rows, int columns, std::ptrdiff_t stride, int batch, std::ptrdiff_t batch_stride) {
    return at((batch - 1) * batch_stride + (rows - 1) * stride + columns);
  }

  std::vector<MatrixProduct>& runs_;
};

}  // namespace plume::tests

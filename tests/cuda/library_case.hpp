// Convolutions through a stream's libraries, for DeviceConvRun.
#pragma once

#include <utility>

#include "convolution_case.hpp"
#include "kernels/cuda/cublaslt/convolution.hpp"
#include "kernels/cuda/cudnn/convolution.hpp"

namespace plume::tests {

struct LibraryPlain : OwnPlain {
  template <class... A>
  static void forward(A&&... a) {
    EXPECT_TRUE(kernels::cuda::cudnn::conv2d_forward(std::forward<A>(a)...));
  }
  template <class... A>
  static void backward_data(A&&... a) {
    EXPECT_TRUE(kernels::cuda::cudnn::conv2d_backward_data(std::forward<A>(a)...));
  }
  template <class... A>
  static void backward_weight(A&&... a) {
    EXPECT_TRUE(kernels::cuda::cudnn::conv2d_backward_weight(std::forward<A>(a)...));
  }
};

struct LibraryTransposed : OwnTransposed {
  template <class... A>
  static void forward(A&&... a) {
    EXPECT_TRUE(kernels::cuda::cublaslt::conv_transpose2d_forward(std::forward<A>(a)...));
  }
  template <class... A>
  static void backward_data(A&&... a) {
    EXPECT_TRUE(kernels::cuda::cublaslt::conv_transpose2d_backward_data(std::forward<A>(a)...));
  }
  template <class... A>
  static void backward_weight(A&&... a) {
    EXPECT_TRUE(kernels::cuda::cublaslt::conv_transpose2d_backward_weight(std::forward<A>(a)...));
  }
};

}  // namespace plume::tests

// Convolutions against the definition: sizes, strides, pads, channel counts and concatenated inputs.
#include "kernels/convolution.hpp"

#include <gtest/gtest.h>

#include "conv_case.hpp"

namespace plume::tests {
namespace {

using kernels::ConvGeometry;

template <class T>
class Convolution : public OnInstructionSet {
 protected:
  void check(const ConvCase& problem) {
    const ConvGeometry& g = problem.geometry;
    if (g.output_rows(problem.rows) < 1 || g.output_columns(problem.columns) < 1) return;
    if (problem.rows + g.pad[0] + g.pad[2] < g.kernel || problem.columns + g.pad[1] + g.pad[3] < g.kernel) return;
    ConvRun<T, Plain>(problem).check(stream_);
  }
  kernels::CpuStream stream_{1, kernels::ConvPolicy::direct};  // threads_test.cpp shows that more give the same bits
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Convolution, Elements);

TYPED_TEST(Convolution, EverySizeKernelStrideAndPad) {
  const std::vector<std::array<int, 2>> sizes{{1, 1}, {1, 6}, {2, 2}, {3, 4}, {5, 7}, {8, 8}, {16, 9}, {37, 21}};
  for (const auto& [rows, columns] : sizes) {
    for (const int kernel : {1, 3, 5}) {
      for (const int stride : {1, 2}) {
        const int half = kernel / 2;
        for (const std::array<int, 4>& pad : {std::array{half, half, half, half}, {0, 0, 0, 0}, {0, 1, 2, 0}}) {
          const int batch = rows % 2 == 0 ? 3 : 1;
          this->check({batch, rows, columns, {6}, 17, {kernel, stride, pad}});
        }
      }
    }
  }
}

TYPED_TEST(Convolution, EveryPairOfChannelCounts) {
  const std::vector<int> counts{1, 3, 6, 16, 17, 24, 33, 48, 64, 100};
  for (const int in : counts) {
    for (const int out : counts) this->check({1, 3, 5, {in}, out, {3, 1, {1, 1, 1, 1}}});
  }
}

TYPED_TEST(Convolution, ConcatenatedSources) {
  const std::vector<std::vector<int>> splits{{16, 16}, {3, 30}, {17, 7}, {5, 11, 8, 7}, {1, 1, 1}, {48, 16}};
  for (const auto& split : splits) {
    for (const int batch : {1, 3}) {
      this->check({batch, 9, 7, split, 24, {3, 1, {1, 1, 1, 1}}});
      this->check({batch, 8, 6, split, 3, {3, 2, {0, 0, 1, 1}}});
      this->check({batch, 4, 5, split, 1, {1, 1, {}}});
    }
  }
}

// More input channels than one chunk of packed weights holds, more pixels than one panel.
TYPED_TEST(Convolution, LargeEnoughToBeCut) {
  this->check({1, 6, 5, {100, 212}, 33, {3, 1, {1, 1, 1, 1}}});
  this->check({1, 90, 110, {16}, 6, {3, 1, {1, 1, 1, 1}}});
}

TYPED_TEST(Convolution, ReluKeepsNan) {
  using T = TypeParam;
  Array pixel(1, 1, 1, 1);
  pixel.values = {std::numeric_limits<double>::quiet_NaN()};
  Pixels<T> in(pixel);
  Pixels<T> out(Array(1, 1, 1, 17));
  const std::vector<T> weight(17, T{1});
  kernels::conv2d_forward<T>(out.image(), in.image(), weight.data(), nullptr, {1, 1, {}}, true, this->stream_);
  for (const T value : out.memory()) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace plume::tests

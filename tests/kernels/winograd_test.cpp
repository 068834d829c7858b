// Winograd convolutions against the definition: sizes that tiles do not divide, pads, channel counts, concatenated
// inputs; on any number of threads the same bits.
#include "kernels/cpu/winograd/winograd.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "conv_case.hpp"

namespace plume::tests {
namespace {

using kernels::ConvGeometry;
using kernels::CpuStream;
using kernels::WinogradTile;

// The kernels with one size of tile. 2e-5 and 1e-4 of the largest value in f32.
template <WinogradTile tile>
struct Winograd {
  static constexpr double data_roundings = 160;
  static constexpr double weight_roundings = 800;

  template <class T>
  static void forward(kernels::Image<T> out, const kernels::Sources<T>& in, const T* weight, const T* bias,
                      const ConvGeometry& geometry, bool relu, CpuStream& stream) {
    kernels::winograd_forward<T>(out, in, weight, bias, geometry, relu, tile, stream);
  }
  template <class T>
  static void backward_data(kernels::Image<T> grad_in, kernels::Image<const T> grad_out, const T* weight,
                            kernels::ChannelSlice slice, const ConvGeometry& geometry, bool add, CpuStream& stream) {
    kernels::winograd_backward_data<T>(grad_in, grad_out, weight, slice, geometry, add, tile, stream);
  }
  template <class T>
  static void backward_weight(T* grad_weight, const kernels::Sources<T>& in, kernels::Image<const T> grad_out,
                              const ConvGeometry& geometry, bool add, CpuStream& stream) {
    kernels::winograd_backward_weight<T>(grad_weight, in, grad_out, geometry, add, tile, stream);
  }
  static constexpr auto reference = convolve;
  static constexpr auto reference_backward = convolve_backward;
};

template <class T>
class WinogradConvolution : public OnInstructionSet {
 protected:
  static constexpr ConvGeometry same{3, 1, {1, 1, 1, 1}};

  void check(const ConvCase& problem) {
    const ConvGeometry& g = problem.geometry;
    if (g.output_rows(problem.rows) < 1 || g.output_columns(problem.columns) < 1) return;
    ConvRun<T, Winograd<WinogradTile::f2>>(problem).check(stream_);
    ConvRun<T, Winograd<WinogradTile::f4>>(problem).check(stream_);
  }
  CpuStream stream_{1};
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(WinogradConvolution, Elements);

TYPED_TEST(WinogradConvolution, EverySizeAndPad) {
  const std::vector<std::array<int, 2>> sizes{{1, 1}, {1, 6}, {2, 3}, {4, 4}, {5, 7}, {8, 12}, {17, 30}};
  for (const auto& [rows, columns] : sizes) {
    for (const std::array<int, 4>& pad : {std::array{1, 1, 1, 1}, {0, 0, 0, 0}, {2, 2, 2, 2}, {0, 1, 2, 0}}) {
      this->check({rows % 2 == 0 ? 3 : 1, rows, columns, {6}, 5, {3, 1, pad}});
    }
  }
}

TYPED_TEST(WinogradConvolution, EveryPairOfChannelCounts) {
  const std::vector<int> counts{1, 3, 8, 16, 17, 32, 40, 72};
  for (const int in : counts) {
    for (const int out : counts) this->check({1, 3, 5, {in}, out, this->same});
  }
}

TYPED_TEST(WinogradConvolution, ConcatenatedSources) {
  const std::vector<std::vector<int>> splits{{16, 16}, {3, 30}, {17, 7}, {5, 11, 8, 7}, {1, 1, 1}, {32, 16}};
  for (const auto& split : splits) this->check({2, 9, 7, split, 20, this->same});
}

// Layers of a real network: many tiles, and fewer tiles than channels.
TYPED_TEST(WinogradConvolution, LayersOfRealSize) {
  this->check({1, 64, 64, {64}, 64, this->same});
  this->check({2, 12, 16, {300}, 130, this->same});
  this->check({1, 40, 40, {16}, 208, this->same});
}

TYPED_TEST(WinogradConvolution, SameBitsOnAnyNumberOfThreads) {
  using T = TypeParam;
  for (const auto& [rows, columns, in, out] :
       {std::array{65, 43, 19, 21}, std::array{9, 8, 40, 100}, std::array{30, 31, 100, 7}}) {
    Pixels<T> x(Array::random(2, rows, columns, in, 1));
    Pixels<T> y(Array::random(2, rows, columns, out, 2));
    const auto weight = converted<T>(random_values(static_cast<std::size_t>(9 * in * out), 3));
    for (const WinogradTile tile : {WinogradTile::f2, WinogradTile::f4}) {
      std::vector<T> expected;
      for (const int threads : {1, 2, 3}) {
        CpuStream stream(threads);
        Pixels<T> forward(Array(2, rows, columns, out));
        Pixels<T> data(Array(2, rows, columns, in));
        kernels::winograd_forward<T>(forward.image(), x.image(), weight.data(), nullptr, this->same, false, tile,
                                     stream);
        kernels::winograd_backward_data<T>(data.image(), y.image(), weight.data(), {0, in}, this->same, false, tile,
                                           stream);
        std::vector<T> found(weight.size());
        kernels::winograd_backward_weight<T>(found.data(), x.image(), y.image(), this->same, false, tile, stream);
        found.insert(found.end(), forward.memory().begin(), forward.memory().end());
        found.insert(found.end(), data.memory().begin(), data.memory().end());
        if (threads == 1) expected = found;
        ASSERT_EQ(found.size(), expected.size());
        EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(T)), 0) << threads << " threads";
      }
    }
  }
}

TYPED_TEST(WinogradConvolution, NoImagesHaveNoGradient) {
  using T = TypeParam;
  std::vector<T> grad_weight(9 * 2 * 3, T{5});
  const kernels::Image<const T> x(nullptr, 0, 4, 4, 2);
  const kernels::Image<const T> grad(nullptr, 0, 4, 4, 3);
  for (const WinogradTile tile : {WinogradTile::f2, WinogradTile::f4}) {
    kernels::winograd_backward_weight<T>(grad_weight.data(), x, grad, this->same, true, tile, this->stream_);
    EXPECT_EQ(grad_weight, std::vector<T>(grad_weight.size(), T{5}));
  }
  kernels::winograd_backward_weight<T>(grad_weight.data(), x, grad, this->same, false, WinogradTile::f4, this->stream_);
  EXPECT_EQ(grad_weight, std::vector<T>(grad_weight.size(), T{0}));
}

// Sums of one sign over many tiles: one long chain of f32 additions would lose 1e-3.
TEST(WinogradWeightGradient, SumsOverManyTilesStayExact) {
  constexpr int edge = 512;
  Pixels<float> x(Array::random(1, edge, edge, 1, 1));
  Pixels<float> y(Array::random(1, edge, edge, 1, 2));
  for (Pixels<float>* pixels : {&x, &y}) {
    float* values = pixels->image().data;
    const std::ptrdiff_t stride = pixels->image().stride;
    for (std::ptrdiff_t p = 0; p < std::ptrdiff_t{edge} * edge; ++p)
      values[p * stride] = 0.5F + std::abs(values[p * stride]);
  }
  double expected = 0;  // of the middle tap
  for (int row = 0; row < edge; ++row) {
    for (int column = 0; column < edge; ++column) {
      expected += double{*x.image().at(0, row, column)} * double{*y.image().at(0, row, column)};
    }
  }
  for (const WinogradTile tile : {WinogradTile::f2, WinogradTile::f4}) {
    CpuStream stream(1);
    std::vector<float> grad_weight(9);
    kernels::winograd_backward_weight<float>(grad_weight.data(), x.image(), y.image(), {3, 1, {1, 1, 1, 1}}, false,
                                             tile, stream);
    EXPECT_NEAR(grad_weight[4], expected, 2e-5 * expected);
  }
}

TYPED_TEST(WinogradConvolution, ReluKeepsNan) {
  using T = TypeParam;
  Array pixel(1, 1, 1, 1);
  pixel.values = {std::numeric_limits<double>::quiet_NaN()};
  Pixels<T> in(pixel);
  Pixels<T> out(Array(1, 1, 1, 17));
  const std::vector<T> weight(9 * 17, T{1});
  kernels::winograd_forward<T>(out.image(), in.image(), weight.data(), nullptr, this->same, true, WinogradTile::f4,
                               this->stream_);
  for (const T value : out.memory()) EXPECT_TRUE(std::isnan(value));
}

}  // namespace
}  // namespace plume::tests

// The number of threads changes no bit of any kernel's result.
#include <gtest/gtest.h>

#include <cstring>

#include "array.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/convolution.hpp"
#include "kernels/loss.hpp"
#include "kernels/optimizer.hpp"
#include "kernels/pointwise.hpp"
#include "kernels/pooling.hpp"
#include "kernels/upsample.hpp"

namespace plume::tests {
namespace {

using kernels::CpuStream;
using kernels::Image;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

// Images large enough that every kernel has several tasks, of a size that no task divides.
template <class T>
class Threads : public testing::Test {
 protected:
  static constexpr int n = 3, h = 65, w = 43, c = 19;

  // run(stream) gives everything the kernel wrote, as one list.
  template <class Run>
  void check(std::string_view what, const Run& run) {
    CpuStream one(1);
    const std::vector<T> expected = run(one);
    for (const int threads : {2, 3}) {
      CpuStream several(threads);
      EXPECT_TRUE(same_bits(run(several), expected)) << what << " with " << threads << " threads";
    }
  }

  Image<T> x() { return x_.image(); }
  Image<T> grad() { return grad_.image(); }
  // A result of the input's size, and its values.
  Pixels<T> blank(int rows = h, int columns = w, int channels = c) const {
    return Pixels<T>(Array::random(n, rows, columns, channels, 9));
  }

  Pixels<T> x_{Array::random(n, h, w, c, 1)};
  Pixels<T> grad_{Array::random(n, h, w, c, 2)};
  std::vector<T> weight_ = converted<T>(random_values(std::size_t{9} * c * c, 3));
  std::vector<T> vector_ = converted<T>(random_values(c, 4, 0.5, 2));
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(Threads, Elements);

TYPED_TEST(Threads, Convolutions) {
  using T = TypeParam;
  constexpr kernels::ConvGeometry same{3, 1, {1, 1, 1, 1}};
  constexpr kernels::ConvGeometry strided{3, 2, {0, 0, 1, 1}};
  const T* weight = this->weight_.data();
  this->check("conv2d_forward", [&](CpuStream& stream) {
    auto out = this->blank();
    kernels::conv2d_forward<T>(out.image(), this->x(), weight, this->vector_.data(), same, true, stream);
    return out.memory();
  });
  this->check("conv_transpose2d_forward", [&](CpuStream& stream) {
    auto out = this->blank(2 * this->h, 2 * this->w);
    kernels::conv_transpose2d_forward<T>(out.image(), this->x(), weight, this->vector_.data(), strided, true, stream);
    return out.memory();
  });
  for (const bool add : {false, true}) {
    this->check("conv2d_backward_data", [&](CpuStream& stream) {
      auto out = this->blank();
      kernels::conv2d_backward_data<T>(out.image(), this->grad(), weight, {0, this->c}, same, add, stream);
      return out.memory();
    });
    this->check("conv_transpose2d_backward_data", [&](CpuStream& stream) {
      auto out = this->blank((this->h - 1) / 2, (this->w - 1) / 2);
      kernels::conv_transpose2d_backward_data<T>(out.image(), this->grad(), weight, {0, this->c}, strided, add, stream);
      return out.memory();
    });
    this->check("conv2d_backward_weight", [&](CpuStream& stream) {
      auto out = this->weight_;
      kernels::conv2d_backward_weight<T>(out.data(), this->x(), this->grad(), same, add, stream);
      return out;
    });
    this->check("conv_transpose2d_backward_weight", [&](CpuStream& stream) {
      auto out = this->weight_;
      auto small = this->blank((this->h - 1) / 2, (this->w - 1) / 2);
      kernels::conv_transpose2d_backward_weight<T>(out.data(), small.image(), this->grad(), strided, add, stream);
      return out;
    });
    this->check("bias_backward", [&](CpuStream& stream) {
      auto out = this->vector_;
      kernels::bias_backward<T>(out.data(), this->grad(), add, stream);
      return out;
    });
  }
}

TYPED_TEST(Threads, BatchNorm) {
  using T = TypeParam;
  const std::size_t c = this->vector_.size();
  this->check("batch_statistics", [&](CpuStream& stream) {
    std::vector<T> out(4 * c, T{1});
    kernels::batch_statistics<T>(&out[0], &out[c], &out[2 * c], &out[3 * c], this->x(), {}, stream);
    return out;
  });
  const T* vector = this->vector_.data();
  this->check("normalize", [&](CpuStream& stream) {
    auto out = this->blank();
    kernels::normalize<T>(out.image(), this->x(), vector, vector, vector, vector, true, stream);
    return out.memory();
  });
  this->check("normalize_backward", [&](CpuStream& stream) {
    auto out = this->blank();
    std::vector<T> sums(2 * c);
    const kernels::NormSaved<T> saved{this->x(), vector, vector, vector, vector, true};
    kernels::normalize_backward<T>(out.image(), &sums[0], &sums[c], this->grad(), saved, false, false, stream);
    sums.insert(sums.end(), out.memory().begin(), out.memory().end());
    return sums;
  });
}

TYPED_TEST(Threads, PoolingAndUpsampling) {
  using T = TypeParam;
  constexpr int rows = 65 / 2, columns = 43 / 2;
  std::vector<std::uint8_t> index(static_cast<std::size_t>(3 * rows * columns * this->c));
  this->check("max_pool", [&](CpuStream& stream) {
    auto out = this->blank(rows, columns);
    auto grad = this->blank();
    kernels::max_pool_forward<T>(out.image(), index.data(), this->x(), stream);
    kernels::max_pool_backward<T>(grad.image(), out.image(), index.data(), true, stream);
    return grad.memory();
  });
  for (const auto interpolation : {kernels::Interpolation::nearest, kernels::Interpolation::bilinear}) {
    this->check("upsample", [&](CpuStream& stream) {
      auto out = this->blank(2 * this->h, 2 * this->w);
      auto grad = this->blank();
      kernels::upsample_forward<T>(out.image(), this->x(), interpolation, stream);
      kernels::upsample_backward<T>(grad.image(), out.image(), interpolation, true, stream);
      return grad.memory();
    });
  }
}

TYPED_TEST(Threads, Pointwise) {
  using T = TypeParam;
  this->check("pointwise", [&](CpuStream& stream) {
    auto a = this->blank();
    auto b = this->blank();
    kernels::copy<T>(a.image(), this->x(), true, stream);
    kernels::add<T>(b.image(), a.image(), this->grad(), stream);
    kernels::relu_forward<T>(a.image(), b.image(), stream);
    kernels::relu_backward<T>(b.image(), this->grad(), a.image(), true, stream);
    kernels::sigmoid_forward<T>(a.image(), b.image(), stream);
    kernels::sigmoid_backward<T>(b.image(), this->grad(), a.image(), true, stream);
    kernels::softmax_forward<T>(a.image(), b.image(), stream);
    kernels::softmax_backward<T>(b.image(), this->grad(), a.image(), true, stream);
    return b.memory();
  });
}

TYPED_TEST(Threads, Losses) {
  using T = TypeParam;
  constexpr std::size_t pixels = 3 * 65 * 43;
  const auto labels = random_labels(pixels, 5, this->c);
  const auto weights = converted<T>(random_values(pixels, 6, 0.1F, 2));
  const kernels::PixelTargets<T> targets{labels.data(), weights.data()};
  const auto check = [&](std::string_view what, int channels, const auto& loss) {
    this->check(what, [&](CpuStream& stream) {
      auto grad = this->blank();
      const Image<T> logits = this->x().channels(0, channels);
      double value = 0;
      loss(kernels::LossOutput<T>{&value, grad.image().channels(0, channels)}, logits, stream);
      auto out = grad.memory();
      out.push_back(static_cast<T>(value));
      return out;
    });
  };
  check("bce", 1,
        [&](const auto& to, Image<const T> z, auto& s) { kernels::bce_with_logits<T>(to, z, targets, 0, s); });
  check("softmax cross-entropy", this->c,
        [&](const auto& to, Image<const T> z, auto& s) { kernels::softmax_cross_entropy<T>(to, z, targets, 0, s); });
  for (const int channels : {1, this->c + 0}) {
    check("dice", channels, [&](const auto& to, Image<const T> z, auto& s) { kernels::dice<T>(to, z, targets, 1, s); });
    check("focal", channels,
          [&](const auto& to, Image<const T> z, auto& s) { kernels::focal<T>(to, z, targets, 2, s); });
    check("lovasz", channels,
          [&](const auto& to, Image<const T> z, auto& s) { kernels::lovasz<T>(to, z, targets, s); });
  }
}

TYPED_TEST(Threads, Optimizers) {
  using T = TypeParam;
  constexpr std::ptrdiff_t count = 100001;
  const auto gradients = converted<T>(random_values(count, 7));
  this->check("optimisers", [&](CpuStream& stream) {
    std::vector<T> parameters(count, T{1}), first(count), second(count);
    const kernels::UpdateConstants<T, kernels::AdamwBody<T>> adamw{
        {T(0.1), T(0.9), T(0.99), T(1e-8), T(0.01), T(0.1), T(0.1)}, T(1)};
    const kernels::UpdateConstants<T, kernels::SgdBody<T>> sgd{{T(0.1), T(0.9), T(0.01), true}};
    kernels::UpdateBuffers<T> buffers{parameters.data(), gradients.data(), first.data(), second.data()};
    buffers.count = count;
    double squared = 0;
    kernels::squared_norm(&squared, gradients.data(), count, stream);
    kernels::adamw_step(buffers, &adamw, &squared, stream);
    kernels::sgd_step(buffers, &sgd, nullptr, stream);
    return parameters;
  });
}

// OpenMP's library would die of more.
TEST(CpuStreamThreads, AreNoMoreThanATeamCanHave) {
  EXPECT_EQ(CpuStream(100000).threads(), CpuStream::largest_team);
  EXPECT_EQ(CpuStream(3).threads(), 3);
}

}  // namespace
}  // namespace plume::tests

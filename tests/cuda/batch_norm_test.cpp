// Batch normalisation on CUDA, with and without max-pooling behind it, against the CPU's in double.
#include "kernels/batch_norm.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "../kernels/other_rank.hpp"
#include "device_array.hpp"
#include "kernels/pooling.hpp"

namespace plume::tests {
namespace {

using kernels::NormSettings;
using Shape = std::array<int, 4>;

// Small, ragged, packed; more channels than a block has columns; more partial sums than the last block has rows.
const std::vector<Shape> shapes{{1, 1, 2, 1},   {5, 5, 7, 6},    {1, 8, 8, 17},
                                {2, 19, 21, 8}, {3, 11, 13, 72}, {1, 63, 65, 33}};

struct Statistics {
  std::vector<double> mean, inverse_std, running_mean, running_var;
};

template <class T>
class CudaBatchNorm : public OnCuda {
 protected:
  // The values of before, where they are running statistics.
  static Statistics old(int channels) {
    const auto c = static_cast<std::size_t>(channels);
    return {std::vector<double>(c), std::vector<double>(c), random_values(c, 2), random_values(c, 3, 0.5, 2)};
  }
  Statistics on_cpu(const Array& x, const NormSettings& settings) {
    Statistics s = old(x.c);
    Pixels<double> memory(x);
    kernels::batch_statistics<double>(s.mean.data(), s.inverse_std.data(), s.running_mean.data(), s.running_var.data(),
                                      memory.image(), settings, cpu_);
    return s;
  }
  Statistics on_device(const Array& x, int extra_stride, const NormSettings& settings) {
    const Statistics s = old(x.c);
    const DevicePixels<T> memory(*stream_, x, extra_stride);
    const DeviceVector<float> mean(*stream_, s.mean), inverse_std(*stream_, s.inverse_std),
        running_mean(*stream_, s.running_mean), running_var(*stream_, s.running_var);
    kernels::batch_statistics<T>(mean.data(), inverse_std.data(), running_mean.data(), running_var.data(),
                                 memory.image(), settings, *stream_);
    return {doubles(mean), doubles(inverse_std), doubles(running_mean), doubles(running_var)};
  }
  static std::vector<double> doubles(const DeviceVector<float>& vector) {
    const auto values = vector.values();
    return {values.begin(), values.end()};
  }
};
TYPED_TEST_SUITE(CudaBatchNorm, DeviceElements);

TYPED_TEST(CudaBatchNorm, StatisticsMatchTheCpu) {
  using T = TypeParam;
  for (const Shape& s : shapes) {
    const Array x = as_stored<T>(Array::random(s[0], s[1], s[2], s[3], 1, -1, 3));
    for (const NormSettings& settings : {NormSettings{1e-3, 0.25, false}, NormSettings{1e-5, 0.1, true}}) {
      const Statistics expected = this->on_cpu(x, settings);
      for (const int extra_stride : {0, 3, 8}) {
        const Statistics ours = this->on_device(x, extra_stride, settings);
        expect_near(ours.mean, expected.mean, roundings<float>(2), "mean", 1);
        expect_near(ours.inverse_std, expected.inverse_std, roundings<float>(4), "inverse std");
        expect_near(ours.running_mean, expected.running_mean, roundings<float>(2), "running mean");
        expect_near(ours.running_var, expected.running_var, roundings<float>(4), "running variance");
      }
    }
  }
}

// The first image here, the others on another rank.
TYPED_TEST(CudaBatchNorm, StatisticsOverRanksMatchTheCpu) {
  using T = TypeParam;
  for (const Shape& s : shapes) {
    const Array x = as_stored<T>(Array::random(s[0] + 1, s[1], s[2], s[3], 1, -1, 3));
    OtherRank other;
    NormSettings settings{1e-3, 0.25, true};
    const Statistics expected = this->on_cpu(x, settings);
    settings.across = &other;
    static_cast<void>(this->on_device(images_of(x, 1, s[0]), 0, settings));
    other.speak();
    const Statistics ours = this->on_device(images_of(x, 0, 1), 0, settings);
    expect_near(ours.mean, expected.mean, roundings<float>(2), "mean", 1);
    expect_near(ours.inverse_std, expected.inverse_std, roundings<float>(4), "inverse std");
    expect_near(ours.running_mean, expected.running_mean, roundings<float>(2), "running mean");
    expect_near(ours.running_var, expected.running_var, roundings<float>(4), "running variance");
  }
}

// A single pixel has no unbiased variance; none may come out as NaN or infinite.
TYPED_TEST(CudaBatchNorm, OnePixel) {
  const Array x = as_stored<TypeParam>(Array::random(1, 1, 1, 3, 1));
  const Statistics ours = this->on_device(x, 0, {1e-5, 1, true});
  EXPECT_EQ(ours.mean, x.values);
  EXPECT_EQ(ours.running_var, std::vector<double>(3, 0.0));
}

// A sum of squares in float would lose all of the variance; an outlier first pixel would spoil sums that are shifted
// by it alone.
TYPED_TEST(CudaBatchNorm, StatisticsFarFromZero) {
  using T = TypeParam;
  const double half_width = std::sqrt(3.0);
  for (const double first : {1000.0, 0.0}) {
    Array x = as_stored<T>(Array::random(2, 61, 43, 8, 1, 1000 - half_width, 1000 + half_width));
    std::fill_n(x.values.begin(), 8, first);
    const Statistics expected = this->on_cpu(x, {});
    const Statistics ours = this->on_device(x, 0, {});
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_NEAR(ours.mean[i] / expected.mean[i], 1, 1e-6);
      EXPECT_NEAR(ours.inverse_std[i] / expected.inverse_std[i], 1, 1e-6);
    }
  }
}

TYPED_TEST(CudaBatchNorm, StatisticsHaveTheSameBitsEveryTime) {
  const Array x = as_stored<TypeParam>(Array::random(2, 61, 43, 8, 1, -1, 3));
  const Statistics first = this->on_device(x, 0, {});
  const Statistics second = this->on_device(x, 0, {});
  EXPECT_EQ(first.mean, second.mean);
  EXPECT_EQ(first.inverse_std, second.inverse_std);
}

TEST_F(OnCuda, RunningStatisticsForInference) {
  for (const int channels : {1, 7, 130}) {
    const auto c = static_cast<std::size_t>(channels);
    const auto running_mean = random_values(c, 1);
    const auto running_var = random_values(c, 2, 0, 2);
    std::vector<double> wanted;
    for (const double variance : running_var) wanted.push_back(1 / std::sqrt(variance + 1e-3));
    const DeviceVector<float> mean(*stream_, running_mean), inverse_std(*stream_, running_mean),
        from_mean(*stream_, running_mean), from_var(*stream_, running_var);
    kernels::running_statistics(mean.data(), inverse_std.data(), static_cast<const float*>(from_mean.data()),
                                static_cast<const float*>(from_var.data()), channels, {.epsilon = 1e-3}, *stream_);
    expect_near(mean.values(), running_mean, 0, "mean");
    expect_near(inverse_std.values(), wanted, roundings<float>(1), "inverse std");
  }
}

// What normalize and its gradient are called with: on the CPU in double, and on the device.
template <class T>
struct NormProblem {
  Array x;
  std::vector<double> mean, inverse_std, gamma, beta;
  DeviceVector<float> device_mean, device_inverse_std, device_gamma, device_beta;

  NormProblem(kernels::CudaStream& stream, const Shape& s)
      : x(as_stored<T>(Array::random(s[0], s[1], s[2], s[3], 1, -1, 3))),
        mean(random_values(static_cast<std::size_t>(x.c), 3, 0.5, 1.5)),
        inverse_std(random_values(mean.size(), 4, 0.5, 2)),
        gamma(random_values(mean.size(), 5, -1, 2)),
        beta(random_values(mean.size(), 6)),
        device_mean(stream, mean),
        device_inverse_std(stream, inverse_std),
        device_gamma(stream, gamma),
        device_beta(stream, beta) {}

  [[nodiscard]] Array pooled_shape() const { return {x.n, x.h / 2, x.w / 2, x.c}; }
  void normalize(kernels::Image<double> to, kernels::Image<const double> from, bool relu,
                 kernels::CpuStream& stream) const {
    kernels::normalize<double>(to, from, mean.data(), inverse_std.data(), gamma.data(), beta.data(), relu, stream);
  }
  void normalize(kernels::Image<T> to, kernels::Image<const T> from, bool relu, kernels::CudaStream& stream) const {
    kernels::normalize<T>(to, from, device_mean.data(), device_inverse_std.data(), device_gamma.data(),
                          device_beta.data(), relu, stream);
  }
  void normalize_pool(kernels::Image<T> to, kernels::Image<T> pooled, std::uint8_t* index, kernels::Image<const T> from,
                      bool relu, kernels::CudaStream& stream) const {
    kernels::normalize_pool<T>(to, pooled, index, from, device_mean.data(), device_inverse_std.data(),
                               device_gamma.data(), device_beta.data(), relu, stream);
  }
};

TYPED_TEST(CudaBatchNorm, NormalizeMatchesTheCpu) {
  using T = TypeParam;
  for (const Shape& shape : shapes) {
    const NormProblem<T> p(*this->stream_, shape);
    for (const bool relu : {false, true}) {
      Pixels<double> x(p.x), y(p.x.like());
      p.normalize(y.image(), x.image(), relu, this->cpu_);
      for (const int extra_stride : {0, 3, 8}) {
        const DevicePixels<T> from(*this->stream_, p.x, extra_stride), to(*this->stream_, p.x.like(), extra_stride);
        p.normalize(to.image(), from.image(), relu, *this->stream_);
        expect_near(to.array(), y.array(), device_roundings<T>(4), "result", 1);
        p.normalize(from.image(), from.image(), relu, *this->stream_);
        EXPECT_EQ(from.array().values, to.array().values) << "in place";
      }
    }
  }
}

TYPED_TEST(CudaBatchNorm, NormalizeAndPoolIsBothToTheBit) {
  using T = TypeParam;
  auto& stream = *this->stream_;
  std::vector<Shape> pooled_shapes = shapes;
  pooled_shapes.push_back({2, 129, 127, 1});
  for (const Shape& shape : pooled_shapes) {
    const NormProblem<T> p(stream, shape);
    for (const bool relu : {false, true}) {
      for (const int extra_stride : {0, 3, 8}) {
        const DevicePixels<T> x(stream, p.x, extra_stride), y(stream, p.x.like(), extra_stride),
            pooled(stream, p.pooled_shape(), extra_stride), y_apart(stream, p.x.like()),
            pooled_apart(stream, p.pooled_shape());
        const std::vector<std::uint8_t> nines(p.pooled_shape().values.size(), 9);
        const DeviceVector<std::uint8_t> index(stream, nines), index_apart(stream, nines);
        p.normalize(y_apart.image(), x.image(), relu, stream);
        kernels::max_pool_forward<T>(pooled_apart.image(), index_apart.data(), y_apart.image(), stream);

        p.normalize_pool(y.image(), pooled.image(), index.data(), x.image(), relu, stream);
        EXPECT_EQ(y.array().values, y_apart.array().values);
        EXPECT_EQ(pooled.array().values, pooled_apart.array().values);
        EXPECT_EQ(index.values(), index_apart.values());

        p.normalize_pool(x.image(), pooled.image(), nullptr, x.image(), relu, stream);
        EXPECT_EQ(x.array().values, y_apart.array().values) << "in place, without an index";
        EXPECT_EQ(pooled.array().values, pooled_apart.array().values);
      }
    }
  }
}

TYPED_TEST(CudaBatchNorm, OneImageOfThreeIsNotAligned) {
  using T = TypeParam;
  auto& stream = *this->stream_;
  const NormProblem<T> p(stream, {2, 5, 4, 8});
  const DevicePixels<T> x(stream, p.x), y(stream, p.x.like()), pooled(stream, p.pooled_shape());
  p.normalize_pool(y.image(), pooled.image(), nullptr, x.image(), true, stream);
  for (const auto& [of_x, of_y, of_pooled] : {std::array{3, 0, 0}, {0, 3, 0}, {0, 0, 3}}) {
    const DevicePixels<T> from(stream, p.x, of_x), to(stream, p.x.like(), of_y), alone(stream, p.x.like(), of_y),
        small(stream, p.pooled_shape(), of_pooled);
    p.normalize(alone.image(), from.image(), true, stream);
    EXPECT_EQ(alone.array().values, y.array().values);
    p.normalize_pool(to.image(), small.image(), nullptr, from.image(), true, stream);
    EXPECT_EQ(to.array().values, y.array().values);
    EXPECT_EQ(small.array().values, pooled.array().values);
  }
}

struct BackwardCase {
  bool relu;
  bool pooled;
  bool batch;
  bool add;
  bool in_place;  // not with add
};

// What the images' strides have beyond their channels.
struct Strides {
  int x, grad_y, pooled, grad_x;
};

template <class T>
class CudaBatchNormBackward : public CudaBatchNorm<T> {
 protected:
  void check(const NormProblem<T>& p, const Strides& extra, const BackwardCase& which) {
    SCOPED_TRACE(testing::Message() << "relu " << which.relu << ", pooled " << which.pooled << ", batch " << which.batch
                                    << ", add " << which.add << ", in place " << which.in_place << ", " << p.x.n << 'x'
                                    << p.x.h << 'x' << p.x.w << 'x' << p.x.c << " + " << extra.x << ',' << extra.grad_y
                                    << ',' << extra.pooled << ',' << extra.grad_x);
    auto& stream = *this->stream_;
    const DevicePixels<T> x(stream, p.x, extra.x), y(stream, p.x.like()), pooled(stream, p.pooled_shape());
    const DeviceVector<std::uint8_t> index(stream, std::vector<std::uint8_t>(p.pooled_shape().values.size()));
    p.normalize_pool(y.image(), pooled.image(), index.data(), x.image(), which.relu, stream);

    const Array grad = as_stored<T>(Array::random(p.x.n, p.x.h, p.x.w, p.x.c, 7));
    Array grad_pooled = p.pooled_shape();
    grad_pooled.values = as_stored<T>(random_values(grad_pooled.values.size(), 8));
    const Array before = as_stored<T>(Array::random(p.x.n, p.x.h, p.x.w, p.x.c, 9));
    const auto before_gamma = random_values(p.gamma.size(), 10);
    const auto before_beta = random_values(p.gamma.size(), 11);

    // The CPU, given the device's index.
    Pixels<double> cpu_x(p.x), cpu_grad(grad), cpu_pooled(grad_pooled), cpu_grad_x(before);
    const auto cpu_index = index.values();
    auto cpu_gamma = before_gamma;
    auto cpu_beta = before_beta;
    kernels::NormSaved<double> cpu_saved{cpu_x.image(), p.mean.data(), p.inverse_std.data(), p.gamma.data(),
                                         p.beta.data(), which.relu,    which.batch};
    if (which.pooled) cpu_saved.pooled = {cpu_pooled.image(), cpu_index.data()};
    kernels::normalize_backward<double>(cpu_grad_x.image(), cpu_gamma.data(), cpu_beta.data(), cpu_grad.image(),
                                        cpu_saved, which.add, which.add, this->cpu_);

    const DevicePixels<T> grad_y(stream, grad, extra.grad_y), grad_of_pooled(stream, grad_pooled, extra.pooled),
        separate(stream, before, extra.grad_x);
    const DevicePixels<T>& grad_x = which.in_place ? grad_y : separate;
    const DeviceVector<float> grad_gamma(stream, before_gamma), grad_beta(stream, before_beta);
    kernels::NormSaved<T> saved{
        x.image(),  p.device_mean.data(), p.device_inverse_std.data(), p.device_gamma.data(), p.device_beta.data(),
        which.relu, which.batch};
    if (which.pooled) saved.pooled = {grad_of_pooled.image(), index.data()};
    kernels::normalize_backward<T>(grad_x.image(), grad_gamma.data(), grad_beta.data(), grad_y.image(), saved,
                                   which.add, which.add, stream);
    expect_near(grad_x.array(), cpu_grad_x.array(), device_roundings<T>(40), "x", 1);
    expect_near(grad_gamma.values(), cpu_gamma, roundings<float>(40), "gamma", 1);
    expect_near(grad_beta.values(), cpu_beta, roundings<float>(40), "beta", 1);
  }
};
TYPED_TEST_SUITE(CudaBatchNormBackward, DeviceElements);

TYPED_TEST(CudaBatchNormBackward, MatchesTheCpu) {
  const std::vector<BackwardCase> cases{
      {false, false, true, false, false}, {true, false, true, true, false},  {true, false, true, false, true},
      {false, true, true, true, false},   {true, true, false, false, false}, {true, true, true, false, true},
  };
  for (const Shape& shape : shapes) {
    const NormProblem<TypeParam> p(*this->stream_, shape);
    for (const int extra : {0, 3, 8}) {
      for (const BackwardCase& which : cases) this->check(p, {extra, extra, extra, extra}, which);
    }
  }
}

// As if another rank had the same images: the means stay, so do the gradients.
TYPED_TEST(CudaBatchNormBackward, OverRanks) {
  using T = TypeParam;
  auto& stream = *this->stream_;
  for (const Shape& shape : shapes) {
    const NormProblem<T> p(stream, shape);
    const DevicePixels<T> x(stream, p.x), grad(stream, as_stored<T>(Array::random(p.x.n, p.x.h, p.x.w, p.x.c, 7)));
    const std::vector<double> zeros(p.gamma.size());
    OtherRank other;
    const auto backward = [&](kernels::AcrossRanks* across) {
      const DevicePixels<T> grad_x(stream, p.x.like());
      const DeviceVector<float> gamma(stream, zeros), beta(stream, zeros);
      kernels::NormSaved<T> saved{x.image(),
                                  p.device_mean.data(),
                                  p.device_inverse_std.data(),
                                  p.device_gamma.data(),
                                  p.device_beta.data(),
                                  true,
                                  true,
                                  across};
      kernels::normalize_backward<T>(grad_x.image(), gamma.data(), beta.data(), grad.image(), saved, false, false,
                                     stream);
      return std::tuple(grad_x.array(), gamma.values(), beta.values());
    };
    const auto [alone, gamma, beta] = backward(nullptr);
    static_cast<void>(backward(&other));
    other.speak();
    const auto [ours, own_gamma, own_beta] = backward(&other);
    expect_near(ours, alone, device_roundings<T>(4), "x", 1);
    EXPECT_EQ(own_gamma, gamma);
    EXPECT_EQ(own_beta, beta);
  }
}

TYPED_TEST(CudaBatchNormBackward, ManyPixels) {
  const NormProblem<TypeParam> p(*this->stream_, {1, 97, 89, 1});
  this->check(p, {}, {true, true, true, false, false});
}

TYPED_TEST(CudaBatchNormBackward, OneImageOfFourIsNotAligned) {
  const NormProblem<TypeParam> p(*this->stream_, {2, 5, 4, 8});
  for (const Strides& extra : {Strides{3, 0, 0, 0}, {0, 3, 0, 0}, {0, 0, 3, 0}, {0, 0, 0, 3}}) {
    this->check(p, extra, {true, true, true, false, false});
  }
}

// The first layer's input needs no gradient.
TYPED_TEST(CudaBatchNormBackward, WithoutAGradientOfTheInput) {
  using T = TypeParam;
  auto& stream = *this->stream_;
  const NormProblem<T> p(stream, {1, 4, 4, 8});
  const DevicePixels<T> x(stream, p.x), grad_x(stream, p.x), grad(stream, Array::random(1, 4, 4, 8, 1));
  const kernels::NormSaved<T> saved{x.image(), p.device_mean.data(), p.device_inverse_std.data(),
                                    p.device_gamma.data()};
  const std::vector<double> zeros(8);
  const DeviceVector<float> gamma(stream, zeros), beta(stream, zeros), gamma_alone(stream, zeros),
      beta_alone(stream, zeros);
  kernels::normalize_backward<T>(grad_x.image(), gamma.data(), beta.data(), grad.image(), saved, false, false, stream);
  kernels::normalize_backward<T>({}, gamma_alone.data(), beta_alone.data(), grad.image(), saved, false, false, stream);
  EXPECT_EQ(gamma.values(), gamma_alone.values());
  EXPECT_EQ(beta.values(), beta_alone.values());
}

}  // namespace
}  // namespace plume::tests

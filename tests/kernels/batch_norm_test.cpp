// Batch normalisation against its formulas, and its statistics where the mean dwarfs the deviation.
#include "kernels/batch_norm.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "conv_case.hpp"
#include "kernels/pooling.hpp"
#include "other_rank.hpp"

namespace plume::tests {
namespace {

using kernels::NormSettings;

template <class T>
class BatchNorm : public OnInstructionSet {
 protected:
  kernels::CpuStream stream_{1};  // threads_test.cpp shows that more give the same bits
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(BatchNorm, Elements);

struct Statistics {
  std::vector<double> mean;
  std::vector<double> variance;  // biased
};

Statistics statistics_of(const Array& x) {
  const double count = static_cast<double>(x.values.size()) / x.c;
  Statistics result{channel_sums(x), std::vector<double>(static_cast<std::size_t>(x.c))};
  for (double& mean : result.mean) mean /= count;
  for_each(x, [&](int n, int y, int w, int c) {
    const auto i = static_cast<std::size_t>(c);
    result.variance[i] += std::pow(x(n, y, w, c) - result.mean[i], 2) / count;
  });
  return result;
}

std::vector<double> inverse_std_of(const std::vector<double>& variance, double epsilon) {
  std::vector<double> result;
  for (const double value : variance) result.push_back(1 / std::sqrt(value + epsilon));
  return result;
}

const std::vector<std::array<int, 4>> shapes{{1, 1, 2, 1}, {3, 5, 7, 6}, {1, 8, 8, 17}, {3, 37, 21, 33}};

TYPED_TEST(BatchNorm, StatisticsAndRunningStatistics) {
  using T = TypeParam;
  for (const auto& [n, h, w, c] : shapes) {
    const Array x = Array::random(n, h, w, c, 1, -1, 3);
    const Statistics expected = statistics_of(x);
    const double count = n * h * w;
    for (const bool unbiased : {false, true}) {
      const NormSettings settings{1e-3, 0.25, unbiased};
      const auto old_mean = random_values(static_cast<std::size_t>(c), 2);
      const auto old_variance = random_values(static_cast<std::size_t>(c), 3, 0.5, 2);
      auto running_mean = converted<T>(old_mean);
      auto running_variance = converted<T>(old_variance);
      std::vector<T> mean(old_mean.size());
      std::vector<T> inverse_std(old_mean.size());
      Pixels<T> memory(x, 2);
      kernels::batch_statistics<T>(mean.data(), inverse_std.data(), running_mean.data(), running_variance.data(),
                                   memory.image(), settings, this->stream_);
      expect_near(mean, expected.mean, roundings<T>(16), "mean");
      expect_near(inverse_std, inverse_std_of(expected.variance, 1e-3), roundings<T>(16), "inverse std");
      std::vector<double> wanted_mean;
      std::vector<double> wanted_variance;
      for (std::size_t i = 0; i < old_mean.size(); ++i) {
        const double fed = expected.variance[i] * (unbiased ? count / (count - 1) : 1);
        wanted_mean.push_back(0.75 * old_mean[i] + 0.25 * expected.mean[i]);
        wanted_variance.push_back(0.75 * old_variance[i] + 0.25 * fed);
      }
      expect_near(running_mean, wanted_mean, roundings<T>(16), "running mean");
      expect_near(running_variance, wanted_variance, roundings<T>(16), "running variance");
    }
  }
}

// One image here, the others on another rank: statistics and gradients are those of all images.
TYPED_TEST(BatchNorm, OverRanks) {
  using T = TypeParam;
  for (const auto& [n, h, w, c] : shapes) {
    if (n == 1) continue;
    const Array x = Array::random(n, h, w, c, 1, -1, 3);
    const std::vector<double> ones(static_cast<std::size_t>(c), 1.0);
    const auto statistics = [&](const Array& part, kernels::AcrossRanks* across) {
      std::vector<std::vector<T>> found(4, converted<T>(ones));
      Pixels<T> memory(part, 2);
      NormSettings settings{1e-3, 0.25, true};
      settings.across = across;
      kernels::batch_statistics<T>(found[0].data(), found[1].data(), found[2].data(), found[3].data(), memory.image(),
                                   settings, this->stream_);
      return found;
    };
    OtherRank other;
    static_cast<void>(statistics(images_of(x, 1, n - 1), &other));
    other.speak();
    const auto expected = statistics(x, nullptr);
    const auto found = statistics(images_of(x, 0, 1), &other);
    for (std::size_t i = 0; i < found.size(); ++i)
      expect_near(found[i], std::vector<double>(expected[i].begin(), expected[i].end()), roundings<T>(16),
                  "statistics");
  }
}

// A single pixel has no unbiased variance; none may come out as NaN or infinite.
TYPED_TEST(BatchNorm, OnePixel) {
  using T = TypeParam;
  Pixels<T> x(Array::random(1, 1, 1, 3, 1));
  std::vector<T> mean(3), inverse_std(3), running_mean(3), running_variance(3);
  kernels::batch_statistics<T>(mean.data(), inverse_std.data(), running_mean.data(), running_variance.data(), x.image(),
                               {}, this->stream_);
  expect_near(mean, x.array().values, 0, "mean");
  for (const T value : running_variance) EXPECT_EQ(value, T{0});
}

// Mean 1e4, standard deviation 1, in float: a sum of squares would lose all of the variance.
TYPED_TEST(BatchNorm, ShiftedData) {
  using T = TypeParam;
  for (const auto& [n, h, w] : {std::array{1, 9, 11}, {3, 37, 21}, {2, 200, 150}}) {
    const double half_width = std::sqrt(3.0);
    const Array x = Array::random(n, h, w, 5, 1, 1e4 - half_width, 1e4 + half_width);
    const Statistics expected = statistics_of(x);
    std::vector<T> mean(5), inverse_std(5);
    Pixels<T> memory(x);
    kernels::batch_statistics<T>(mean.data(), inverse_std.data(), nullptr, nullptr, memory.image(), {}, this->stream_);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(mean[i], expected.mean[i], 1e-3);
      EXPECT_NEAR(inverse_std[i] * std::sqrt(expected.variance[i] + 1e-5), 1, 1e-3);
    }
  }
}

TYPED_TEST(BatchNorm, RunningStatisticsForInference) {
  using T = TypeParam;
  const auto running_mean = random_values(7, 1);
  const auto running_variance = random_values(7, 2, 0, 2);
  std::vector<T> mean(7), inverse_std(7);
  kernels::running_statistics<T>(mean.data(), inverse_std.data(), converted<T>(running_mean).data(),
                                 converted<T>(running_variance).data(), 7, {.epsilon = 1e-3}, this->stream_);
  expect_near(mean, running_mean, 0, "mean");
  expect_near(inverse_std, inverse_std_of(running_variance, 1e-3), roundings<T>(4), "inverse std");
}

// What normalize and its gradient are called with, in double.
struct NormProblem {
  Array x;
  Array grad_y;
  std::vector<double> mean;
  std::vector<double> inverse_std;
  std::vector<double> gamma;
  std::vector<double> beta;

  explicit NormProblem(const std::array<int, 4>& s)
      : x(Array::random(s[0], s[1], s[2], s[3], 1, -1, 3)), grad_y(Array::random(s[0], s[1], s[2], s[3], 2)) {
    const Statistics statistics = statistics_of(x);
    for (const double value : statistics.mean) mean.push_back(static_cast<float>(value));
    for (const double value : inverse_std_of(statistics.variance, 1e-3))
      inverse_std.push_back(static_cast<float>(value));
    gamma = random_values(mean.size(), 3, 0.5, 2);
    beta = random_values(mean.size(), 4);
  }
  [[nodiscard]] double normalized(int n, int y, int w, int c) const {
    const auto i = static_cast<std::size_t>(c);
    return (x(n, y, w, c) - mean[i]) * inverse_std[i];
  }
  [[nodiscard]] Array forward() const {
    Array out = x.like();
    for_each(x, [&](int n, int y, int w, int c) {
      const auto i = static_cast<std::size_t>(c);
      out(n, y, w, c) = normalized(n, y, w, c) * gamma[i] + beta[i];
    });
    return out;
  }
};

struct NormGradients {
  Array x;
  std::vector<double> gamma;
  std::vector<double> beta;
};

// Ioffe and Szegedy's chain rule; g is the gradient behind the ReLU.
NormGradients backward_of(const NormProblem& p, const Array& g, bool batch) {
  const double count = static_cast<double>(p.x.values.size()) / p.x.c;
  NormGradients grad{p.x.like(), std::vector<double>(p.gamma.size()), channel_sums(g)};
  for_each(g, [&](int n, int y, int w, int c) {
    grad.gamma[static_cast<std::size_t>(c)] += g(n, y, w, c) * p.normalized(n, y, w, c);
  });
  for_each(g, [&](int n, int y, int w, int c) {
    const auto i = static_cast<std::size_t>(c);
    const double centred = batch ? (grad.beta[i] + p.normalized(n, y, w, c) * grad.gamma[i]) / count : 0;
    grad.x(n, y, w, c) = p.gamma[i] * p.inverse_std[i] * (g(n, y, w, c) - centred);
  });
  return grad;
}

// Computed as x * scale + shift, which rounds by the size of the shift: large where mean / deviation is.
TYPED_TEST(BatchNorm, Normalize) {
  using T = TypeParam;
  constexpr double bound = roundings<T>(8);
  for (const auto& shape : shapes) {
    const NormProblem p(shape);
    const auto mean = converted<T>(p.mean), inverse_std = converted<T>(p.inverse_std), gamma = converted<T>(p.gamma),
               beta = converted<T>(p.beta);
    double shift = 0;
    for (std::size_t c = 0; c < mean.size(); ++c) {
      shift = std::max(shift, std::abs(p.mean[c] * p.inverse_std[c] * p.gamma[c]));
    }
    for (const bool with_relu : {false, true}) {
      const Array expected = with_relu ? relu(p.forward()) : p.forward();
      Pixels<T> x(p.x, 2);
      Pixels<T> y(p.x.like(), 1);
      kernels::normalize<T>(y.image(), x.image(), mean.data(), inverse_std.data(), gamma.data(), beta.data(), with_relu,
                            this->stream_);
      expect_near(y.array(), expected, bound, "normalised", shift);
      kernels::normalize<T>(x.image(), x.image(), mean.data(), inverse_std.data(), gamma.data(), beta.data(), with_relu,
                            this->stream_);
      expect_near(x.array(), expected, bound, "normalised in place", shift);
    }
  }
}

TYPED_TEST(BatchNorm, ReluKeepsNan) {
  using T = TypeParam;
  const std::vector<T> ones(33, T{1});
  Pixels<T> x(Array(1, 1, 1, 33));
  x.image().data[7] = std::numeric_limits<T>::quiet_NaN();
  kernels::normalize<T>(x.image(), x.image(), ones.data(), ones.data(), ones.data(), ones.data(), true, this->stream_);
  for (std::size_t c = 0; c < 33; ++c) EXPECT_EQ(std::isnan(x.memory()[c]), c == 7);
}

TYPED_TEST(BatchNorm, Backward) {
  using T = TypeParam;
  for (const auto& shape : shapes) {
    const NormProblem p(shape);
    const auto mean = converted<T>(p.mean), inverse_std = converted<T>(p.inverse_std), gamma = converted<T>(p.gamma),
               beta = converted<T>(p.beta);
    for (int ways = 0; ways < 16; ++ways) {
      const bool with_relu = ways & 1, batch = ways & 2, add_x = ways & 4, in_place = (ways & 8) != 0 && !add_x;
      SCOPED_TRACE(fmt::format("{}: relu {}, batch {}, add {}, in place {}", shape, with_relu, batch, add_x, in_place));
      const Array y = relu(p.forward());
      Array g = p.grad_y;
      for (std::size_t i = 0; with_relu && i < g.values.size(); ++i) g.values[i] *= y.values[i] > 0 ? 1 : 0;
      NormGradients expected = backward_of(p, g, batch);
      const Array before = Array::random(shape[0], shape[1], shape[2], shape[3], 5);
      const auto before_gamma = random_values(p.gamma.size(), 6);
      const auto before_beta = random_values(p.gamma.size(), 7);
      if (add_x) expected.x.values = sum_of(expected.x.values, before.values);

      Pixels<T> x(p.x, 1), grad_y(p.grad_y, 2), separate(before, 4);
      Pixels<T>& grad_x = in_place ? grad_y : separate;
      auto grad_gamma = converted<T>(before_gamma);
      auto grad_beta = converted<T>(before_beta);
      const kernels::NormSaved<T> saved{x.image(), mean.data(), inverse_std.data(), gamma.data(), beta.data(),
                                        with_relu, batch};
      kernels::normalize_backward<T>(grad_x.image(), grad_gamma.data(), grad_beta.data(), grad_y.image(), saved, add_x,
                                     add_x, this->stream_);
      expect_near(grad_x.array(), expected.x, roundings<T>(40), "x");
      expect_near(grad_gamma, add_x ? sum_of(expected.gamma, before_gamma) : expected.gamma, roundings<T>(40), "gamma");
      expect_near(grad_beta, add_x ? sum_of(expected.beta, before_beta) : expected.beta, roundings<T>(40), "beta");
    }
  }
}

TYPED_TEST(BatchNorm, BackwardOverRanks) {
  using T = TypeParam;
  for (const auto& shape : shapes) {
    if (shape[0] == 1) continue;
    const NormProblem p(shape);
    const auto mean = converted<T>(p.mean), inverse_std = converted<T>(p.inverse_std), gamma = converted<T>(p.gamma),
               beta = converted<T>(p.beta);
    struct Gradients {
      Array x;
      std::vector<T> gamma, beta;
    };
    const auto backward = [&](int first, int count, kernels::AcrossRanks* across) {
      Pixels<T> x(images_of(p.x, first, count), 1), grad_y(images_of(p.grad_y, first, count), 2), grad_x(x.array());
      Gradients gradients{{}, std::vector<T>(mean.size()), std::vector<T>(mean.size())};
      kernels::NormSaved<T> saved{x.image(), mean.data(), inverse_std.data(), gamma.data(), beta.data(), true, true};
      saved.across = across;
      kernels::normalize_backward<T>(grad_x.image(), gradients.gamma.data(), gradients.beta.data(), grad_y.image(),
                                     saved, false, false, this->stream_);
      gradients.x = grad_x.array();
      return gradients;
    };
    OtherRank other;
    const int images = shape[0];
    const Gradients theirs = backward(1, images - 1, &other);
    other.speak();
    const Gradients all = backward(0, images, nullptr);
    const Gradients ours = backward(0, 1, &other);
    expect_near(ours.x, images_of(all.x, 0, 1), roundings<T>(40), "x");
    const auto sums = [&](const std::vector<T>& a, const std::vector<T>& b) {
      return sum_of(std::vector<double>(a.begin(), a.end()), std::vector<double>(b.begin(), b.end()));
    };
    expect_near(all.gamma, sums(ours.gamma, theirs.gamma), roundings<T>(40), "gamma: each has its own share");
    expect_near(all.beta, sums(ours.beta, theirs.beta), roundings<T>(40), "beta: each has its own share");
  }
}

// Both at once are one after the other, forward; backward the pooled gradient counts as part of the output's.
TYPED_TEST(BatchNorm, WithMaxPooling) {
  using T = TypeParam;
  for (const auto& shape : shapes) {
    const NormProblem p(shape);
    const auto mean = converted<T>(p.mean), inverse_std = converted<T>(p.inverse_std), gamma = converted<T>(p.gamma),
               beta = converted<T>(p.beta);
    const Array pooled_shape(shape[0], shape[1] / 2, shape[2] / 2, shape[3]);
    Pixels<T> x(p.x, 1), y(p.x.like(), 2), y_apart(p.x.like()), pooled(pooled_shape, 3), pooled_apart(pooled_shape);
    std::vector<std::uint8_t> index(pooled_shape.values.size()), index_apart(index.size());
    kernels::normalize<T>(y_apart.image(), x.image(), mean.data(), inverse_std.data(), gamma.data(), beta.data(), true,
                          this->stream_);
    kernels::max_pool_forward<T>(pooled_apart.image(), index_apart.data(), y_apart.image(), this->stream_);
    kernels::normalize_pool<T>(y.image(), pooled.image(), index.data(), x.image(), mean.data(), inverse_std.data(),
                               gamma.data(), beta.data(), true, this->stream_);
    EXPECT_EQ(y.array().values, y_apart.array().values);
    EXPECT_EQ(pooled.array().values, pooled_apart.array().values);
    EXPECT_EQ(index, index_apart);

    Pixels<T> grad_pooled(Array::random(shape[0], shape[1] / 2, shape[2] / 2, shape[3], 8), 1), whole(p.grad_y);
    kernels::max_pool_backward<T>(whole.image(), grad_pooled.image(), index.data(), true, this->stream_);
    for (const auto& [add, in_place, want_x] :
         {std::array{false, false, true}, {false, true, true}, {true, false, true}, {false, false, false}}) {
      SCOPED_TRACE(fmt::format("{}: add {}, in place {}, x's gradient {}", shape, add, in_place, want_x));
      const auto run = [&, add = add](Pixels<T>* grad_x, Pixels<T>& grad_y, const kernels::PooledGradient<T>& also) {
        const kernels::NormSaved<T> saved{.x = x.image(),
                                          .mean = mean.data(),
                                          .inverse_std = inverse_std.data(),
                                          .gamma = gamma.data(),
                                          .beta = beta.data(),
                                          .relu = true,
                                          .pooled = also};
        std::vector<T> sums(2 * mean.size(), T{1});
        kernels::normalize_backward<T>(grad_x ? grad_x->image() : kernels::Image<T>{}, sums.data(),
                                       sums.data() + mean.size(), grad_y.image(), saved, add, add, this->stream_);
        return sums;
      };
      Pixels<T> expected(p.x), grad_y(p.grad_y, 2), separate(p.x, 1);
      Pixels<T>& grad_x = in_place ? grad_y : separate;
      const auto sums = run(want_x ? &expected : nullptr, whole, {});
      EXPECT_EQ(run(want_x ? &grad_x : nullptr, grad_y, {grad_pooled.image(), index.data()}), sums);
      EXPECT_EQ(grad_x.array().values, expected.array().values);
    }
  }
}

}  // namespace
}  // namespace plume::tests

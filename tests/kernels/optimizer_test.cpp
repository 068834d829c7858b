// Optimiser updates against the published algorithms, written out.
#include "kernels/optimizer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "array.hpp"

namespace plume::tests {
namespace {

constexpr std::size_t count = 1000;

template <class T>
class OptimizerKernel : public testing::Test {
 protected:
  std::vector<T> parameters_ = converted<T>(random_values(count, 1));
  std::vector<double> expected_ = random_values(count, 1);
  kernels::CpuStream stream_{1};  // threads_test.cpp shows that more give the same bits

  static std::vector<double> gradients(int step) {
    return random_values(count, 100 + static_cast<std::uint64_t>(step));
  }
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(OptimizerKernel, Elements);

// Loshchilov and Hutter, algorithm 2, with the bias corrections spelt out.
TYPED_TEST(OptimizerKernel, Adamw) {
  using T = TypeParam;
  constexpr double rate = 0.01, beta1 = 0.9, beta2 = 0.99, epsilon = 1e-6, decay = 0.1;
  std::vector<T> first(count), second(count);
  std::vector<double> m(count), v(count);
  for (int step = 1; step <= 10; ++step) {
    const auto g = this->gradients(step);
    const kernels::UpdateConstants<T, kernels::AdamwBody<T>> constants{
        {static_cast<T>(rate), static_cast<T>(beta1), static_cast<T>(beta2), static_cast<T>(epsilon),
         static_cast<T>(rate * decay), static_cast<T>(1 - std::pow(beta1, step)),
         static_cast<T>(std::sqrt(1 - std::pow(beta2, step)))}};
    const auto gradients = converted<T>(g);
    kernels::UpdateBuffers<T> buffers{this->parameters_.data(), gradients.data(), first.data(), second.data()};
    buffers.count = count;
    kernels::adamw_step(buffers, &constants, nullptr, this->stream_);
    for (std::size_t i = 0; i < count; ++i) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
      const double m_hat = m[i] / (1 - std::pow(beta1, step));
      const double v_hat = v[i] / (1 - std::pow(beta2, step));
      this->expected_[i] -= rate * (m_hat / (std::sqrt(v_hat) + epsilon) + decay * this->expected_[i]);
    }
  }
  expect_near(this->parameters_, this->expected_, roundings<T>(20), "parameters");
  expect_near(first, m, roundings<T>(20), "first moment");
  expect_near(second, v, roundings<T>(20), "second moment");
}

// PyTorch's torch.optim.SGD: v = momentum v + g, then p -= rate v, or rate (g + momentum v) in Nesterov's form.
TYPED_TEST(OptimizerKernel, Sgd) {
  using T = TypeParam;
  constexpr double rate = 0.1, momentum = 0.8, decay = 0.05;
  for (const bool nesterov : {false, true}) {
    this->parameters_ = converted<T>(random_values(count, 1));
    this->expected_ = random_values(count, 1);
    std::vector<T> velocity(count);
    std::vector<double> v(count);
    for (int step = 1; step <= 10; ++step) {
      const auto g = this->gradients(step);
      const kernels::UpdateConstants<T, kernels::SgdBody<T>> constants{
          {static_cast<T>(rate), static_cast<T>(momentum), static_cast<T>(decay), nesterov}};
      const auto gradients = converted<T>(g);
      kernels::UpdateBuffers<T> buffers{this->parameters_.data(), gradients.data(), velocity.data()};
      buffers.count = count;
      kernels::sgd_step(buffers, &constants, nullptr, this->stream_);
      for (std::size_t i = 0; i < count; ++i) {
        const double total = g[i] + decay * this->expected_[i];
        v[i] = momentum * v[i] + total;
        this->expected_[i] -= rate * (nesterov ? total + momentum * v[i] : v[i]);
      }
    }
    expect_near(this->parameters_, this->expected_, roundings<T>(20), "parameters");
    expect_near(velocity, v, roundings<T>(20), "velocity");
  }
}

}  // namespace
// Gradients longer than the limit are scaled to it, shorter ones stay; the average and the copy follow the parameters.
TYPED_TEST(OptimizerKernel, ClipsAveragesAndCopies) {
  using T = TypeParam;
  const auto g = this->gradients(1);
  const auto gradients = converted<T>(g);
  double squared = 0;
  kernels::squared_norm(&squared, gradients.data(), count, this->stream_);
  double expected = 0;
  for (const double value : g) expected += value * value;
  EXPECT_NEAR(squared, expected, expected * roundings<T>(8));

  const double norm = std::sqrt(expected);
  for (const double clip : {norm / 4, norm * 4}) {
    auto parameters = converted<T>(random_values(count, 1));
    const auto before = parameters;
    std::vector<T> velocity(count), average(count, T{2});
    std::vector<bf16> copy(count);
    const kernels::UpdateConstants<T, kernels::SgdBody<T>> constants{
        {T{1}, T{0}, T{0}, false}, static_cast<T>(clip), static_cast<T>(0.75)};
    kernels::UpdateBuffers<T> buffers{
        parameters.data(), gradients.data(), velocity.data(), nullptr, average.data(), copy.data(), count};
    kernels::sgd_step(buffers, &constants, &squared, this->stream_);
    for (std::size_t i = 0; i < count; ++i) {
      const double wanted = static_cast<double>(before[i]) - std::min(1.0, clip / norm) * g[i];
      ASSERT_NEAR(static_cast<double>(parameters[i]), wanted, 1e-5);
      ASSERT_NEAR(static_cast<double>(average[i]), 1.5 + 0.25 * wanted, 1e-5);
      ASSERT_EQ(static_cast<float>(copy[i]), static_cast<float>(bf16(static_cast<float>(parameters[i]))));
    }
  }
}

}  // namespace plume::tests

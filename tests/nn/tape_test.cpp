// The tape runs what the loss depends on, once, and leaves nothing behind.
#include "nn/tape.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "nn/ops/ops.hpp"
#include "small_network.hpp"

namespace plume::nn::tests {
namespace {

class TapeTest : public testing::Test {
 protected:
  [[nodiscard]] Tensor image(double value, bool wants_gradient = true) {
    Tensor x({1, 1, 1, 2}, DType::f64, "x", arena_.allocate(2 * sizeof(double), "x"), wants_gradient);
    x.data<double>()[0] = x.data<double>()[1] = value;
    return x;
  }
  // As a loss would: dL/dy = 1.
  void start(const Tensor& y) {
    y.prepare_gradient(arena_);
    for (std::size_t i = 0; i < y.shape().count(); ++i) y.gradient<double>()[i] = 1;
  }

  kernels::Stream stream_ = kernels::CpuStream(1);
  Arena arena_;
  Tape tape_;
  Context context_{stream_, arena_, &tape_, true};
};

TEST_F(TapeTest, IsEmptyAfterBackward) {
  const Tensor x = image(1);
  start(relu(context_, x));
  backward(context_, tape_);
  EXPECT_TRUE(tape_.records().empty());
}

TEST_F(TapeTest, SkipsWhatTheLossDoesNotDependOn) {
  const Tensor x = image(1);
  const Tensor unused = sigmoid(context_, x);
  start(relu(context_, x));
  backward(context_, tape_);
  EXPECT_EQ(x.gradient<double>()[0], 1);
  EXPECT_FALSE(unused.has_gradient());
}

TEST_F(TapeTest, GivesNoGradientToWhoWantsNone) {
  const Tensor x = image(1, false);
  const Tensor y = image(2);
  start(add(context_, relu(context_, x), y));
  backward(context_, tape_);
  EXPECT_FALSE(x.has_gradient());
  EXPECT_EQ(y.gradient<double>()[1], 1);
}

TEST_F(TapeTest, DropsInnerGradients) {
  const Tensor x = image(1);
  const Tensor inner = relu(context_, x);
  start(relu(context_, inner));
  backward(context_, tape_);
  EXPECT_FALSE(inner.has_gradient());
  EXPECT_TRUE(x.has_gradient());
}

// Inference keeps nothing and computes the same.
TEST_F(TapeTest, ChangesNoResult) {
  const SmallNetwork network(DType::f32);
  const auto logits = [&](Tape* tape) {
    const Shape shape{1, 6, 8, 3};
    Tensor x(shape, DType::f32, "x", arena_.allocate(shape.count() * sizeof(float), "x"));
    const auto values = plume::tests::random_values(shape.count(), 1);
    std::copy(values.begin(), values.end(), x.data<float>());
    const Tensor z = network.logits({stream_, arena_, tape}, x);
    return std::vector<float>(z.data<float>(), z.data<float>() + z.shape().count());
  };
  EXPECT_EQ(logits(nullptr), logits(&tape_));
}

}  // namespace
}  // namespace plume::nn::tests

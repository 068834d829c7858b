// Parts of tensors: whatever reads one gives what it gives of a copy.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "../random_values.hpp"
#include "nn/ops/ops.hpp"

namespace plume::nn {
namespace {

// Two concatenated tensors with parts of the same size, and the copies of these.
class Parts {
 public:
  explicit Parts(kernels::ConvPolicy convolutions) : stream_(kernels::CpuStream(2, convolutions)) {
    for (const int channels : {17, 32}) {
      const Tensor whole = filled({1, 40, 52, channels}, static_cast<std::uint64_t>(channels));
      const int margin = channels == 17 ? 7 : 3;
      const Tensor part = whole.part(margin, margin + 1, 24, 32);
      const Tensor copy = context_.allocate(part.shape(), DType::f32, "copy");
      const auto from = part.image<float>();
      for (int row = 0; row < 24; ++row) {
        for (int column = 0; column < 32; ++column)
          std::copy_n(whole.image<float>().at(0, margin + row, margin + 1 + column), channels,
                      copy.image<float>().at(0, row, column));
      }
      EXPECT_EQ(from.data, whole.image<float>().at(0, margin, margin + 1));
      parts_.append(part);
      copies_.append(copy);
    }
  }

  Tensor filled(const Shape& shape, std::uint64_t seed) {
    Tensor tensor = context_.allocate(shape, DType::f32, "x");
    const auto values = tests::random_values(shape.count(), seed, 0.1, 1);
    std::copy(values.begin(), values.end(), tensor.data<float>());
    return tensor;
  }
  Conv conv(int kernel, int stride) {
    return {filled({kernel, kernel, 49, 32}, 3), filled({1, 1, 1, 32}, 4),
            stride == 2 ? kernels::ConvGeometry{kernel, 2, {}} : kernels::ConvGeometry{kernel, 1, {1, 1, 1, 1}}};
  }
  BatchNorm norm() {
    const auto vector = [&](std::uint64_t seed) { return filled({1, 1, 1, 49}, seed); };
    return {vector(5), vector(6), vector(7), vector(8), {}};
  }

  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] const Inputs& parts() const { return parts_; }
  [[nodiscard]] const Inputs& copies() const { return copies_; }

 private:
  kernels::Stream stream_;
  Arena arena_;
  Context context_{stream_, arena_};
  Inputs parts_;
  Inputs copies_;
};

struct Reader {
  std::string name;
  std::function<Tensor(Parts&, const Inputs&)> read;
};

std::ostream& operator<<(std::ostream& stream, const Reader& reader) {
  return stream << reader.name;
}

const std::vector<Reader> readers{
    {"conv2d", [](Parts& on, const Inputs& x) { return conv2d(on.context(), x, on.conv(3, 1), true); }},
    {"conv_transpose2d", [](Parts& on, const Inputs& x) { return conv_transpose2d(on.context(), x, on.conv(2, 2)); }},
    {"batch_norm", [](Parts& on, const Inputs& x) { return batch_norm(on.context(), x, on.norm(), true); }},
    {"norm_conv_relu",
     [](Parts& on, const Inputs& x) { return norm_conv_relu(on.context(), x, on.norm(), on.conv(3, 1)); }},
    {"norm_in_place_conv_relu",
     [](Parts& on, const Inputs& x) { return norm_conv_relu(on.context(), x, on.norm(), on.conv(3, 1), true); }},
    {"concat", [](Parts& on, const Inputs& x) { return concat(on.context(), x); }},
    {"one", [](Parts& on, const Inputs& x) { return concat(on.context(), x.front()); }}};

class PartTest : public testing::TestWithParam<Reader> {};
INSTANTIATE_TEST_SUITE_P(Readers, PartTest, testing::ValuesIn(readers),
                         [](const auto& parameter) { return parameter.param.name; });

TEST_P(PartTest, IsReadAsACopy) {
  for (const auto policy : {kernels::ConvPolicy::direct, kernels::ConvPolicy::winograd}) {
    Parts on(policy);
    const Tensor found = GetParam().read(on, on.parts());
    const Tensor expected = GetParam().read(on, on.copies());
    ASSERT_EQ(found.shape(), expected.shape());
    EXPECT_FALSE(found.is_part());
    EXPECT_TRUE(std::equal(found.data<float>(), found.data<float>() + found.shape().count(), expected.data<float>()));
  }
}

// The memory of the whole lives as long as a part of it.
TEST(Part, KeepsTheMemory) {
  kernels::Stream stream{kernels::CpuStream(1)};
  Arena arena;
  const Context context{stream, arena};
  Tensor part;
  {
    const Tensor whole = context.allocate({1, 4, 6, 1}, DType::f32, "whole");
    for (int i = 0; i < 24; ++i) whole.data<float>()[i] = static_cast<float>(i);
    part = whole.part(1, 2, 3, 3).part(1, 1, 1, 2);
  }
  const Tensor copy = concat(context, part);
  EXPECT_EQ(std::vector<float>(copy.data<float>(), copy.data<float>() + 2), (std::vector<float>{15, 16}));
}

}  // namespace
}  // namespace plume::nn

// Max-pooling against the definition: ties, odd sizes, NaN, and where the gradient goes.
#include "kernels/pooling.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "array.hpp"

namespace plume::tests {
namespace {

template <class T>
class MaxPool : public testing::Test {
 protected:
  kernels::CpuStream stream_{1};  // threads_test.cpp shows that more give the same bits
};
using Elements = testing::Types<float, double>;
TYPED_TEST_SUITE(MaxPool, Elements);

struct Pooled {
  Array values;
  std::vector<std::uint8_t> index;
};

// The first of the window's largest, row by row.
Pooled pool(const Array& in) {
  Pooled out{Array(in.n, in.h / 2, in.w / 2, in.c), {}};
  for_each(out.values, [&](int n, int y, int x, int c) {
    int best = 0;
    for (int k = 1; k < 4; ++k) {
      if (in(n, 2 * y + k / 2, 2 * x + k % 2, c) > in(n, 2 * y + best / 2, 2 * x + best % 2, c)) best = k;
    }
    out.values(n, y, x, c) = in(n, 2 * y + best / 2, 2 * x + best % 2, c);
    out.index.push_back(static_cast<std::uint8_t>(best));
  });
  return out;
}

TYPED_TEST(MaxPool, MatchesTheDefinition) {
  using T = TypeParam;
  for (const auto& [rows, columns] : {std::array{2, 2}, {3, 5}, {8, 6}, {37, 21}}) {
    for (const int channels : {1, 6, 17}) {
      Array in = Array::random(3, rows, columns, channels, 1);
      for (double& value : in.values) value = std::round(2 * value);  // five values, so that there are many ties
      const Pooled expected = pool(in);
      Pixels<T> from(in, 2);
      Pixels<T> to(expected.values.like(), 1);
      std::vector<std::uint8_t> index(expected.index.size());
      kernels::max_pool_forward<T>(to.image(), index.data(), from.image(), this->stream_);
      EXPECT_EQ(to.array().values, expected.values.values);
      EXPECT_EQ(index, expected.index);

      const Array grad_out = Array::random(3, rows / 2, columns / 2, channels, 2);
      for (const bool add : {false, true}) {
        Array wanted = Array::random(3, rows, columns, channels, 3);
        Pixels<T> grad_in(wanted, 3);
        if (!add) wanted = in.like();
        std::size_t i = 0;
        for_each(grad_out, [&](int n, int y, int x, int c) {
          const int k = expected.index[i++];
          wanted(n, 2 * y + k / 2, 2 * x + k % 2, c) += grad_out(n, y, x, c);
        });
        Pixels<T> grad(grad_out);
        kernels::max_pool_backward<T>(grad_in.image(), grad.image(), index.data(), add, this->stream_);
        expect_near(grad_in.array(), wanted, roundings<T>(1), "gradient");
      }
    }
  }
}

TYPED_TEST(MaxPool, WorksWithoutAnIndex) {
  Pixels<TypeParam> from(Array::random(1, 4, 4, 3, 1));
  Pixels<TypeParam> to(Array(1, 2, 2, 3));
  kernels::max_pool_forward<TypeParam>(to.image(), nullptr, from.image(), this->stream_);
  EXPECT_EQ(to.array().values, pool(from.array()).values.values);
}

TYPED_TEST(MaxPool, ANanWinsWhereverItStands) {
  using T = TypeParam;
  for (const int channels : {1, 35}) {  // whole vectors and what is left of one
    for (int place = 0; place < 4; ++place) {
      Array in = Array::random(1, 2, 2, channels, 1);
      for (int c = 0; c < channels; ++c) in(0, place / 2, place % 2, c) = std::numeric_limits<double>::quiet_NaN();
      Pixels<T> from(in);
      Pixels<T> to(Array(1, 1, 1, channels));
      std::vector<std::uint8_t> index(static_cast<std::size_t>(channels), 9);
      kernels::max_pool_forward<T>(to.image(), index.data(), from.image(), this->stream_);
      for (const double value : to.array().values) EXPECT_TRUE(std::isnan(value));
      for (const std::uint8_t found : index) EXPECT_EQ(found, place);
    }
  }
}

}  // namespace
}  // namespace plume::tests

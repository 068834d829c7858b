// Floats in 16 bits and back on CUDA: the host's bits, in packs and singly, with tails, in loops that come round.
#include "kernels/cuda/wire_floats.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "device_array.hpp"

namespace plume::tests {
namespace {

template <class T>
class CudaWireFloats : public OnCuda {};
using Narrow = testing::Types<bf16, f16>;
TYPED_TEST_SUITE(CudaWireFloats, Narrow);

// Small and large ones, and what is special.
std::vector<float> values_to_round(std::size_t count) {
  std::vector<float> values = converted<float>(random_values(count, 5));
  for (std::size_t i = 0; i < count; i += 3) values[i] *= 1e-6F;
  for (std::size_t i = 1; i < count; i += 7) values[i] *= 1e5F;
  const std::vector<float> special{0.0F,     -0.0F,    std::numeric_limits<float>::infinity(),
                                   65520.0F, 0x1p-25F, 1.00390625F};
  std::copy_n(special.begin(), std::min(count, special.size()), values.begin());
  return values;
}

template <class T>
DeviceVector<T> filled(kernels::CudaStream& stream, std::size_t count) {
  return DeviceVector<T>(stream, std::vector<T>(count, T(7.0F)));
}

TYPED_TEST(CudaWireFloats, HaveTheHostsBits) {
  using T = TypeParam;
  struct Extent {
    std::size_t count, shift;
  };
  // One; packs alone; packs and a tail, singly in several blocks; more than one for each of the emulated device's threads.
  for (const auto& [count, shift] : {Extent{1, 0}, {1024, 0}, {5003, 0}, {1501, 1}, {33003, 0}, {9001, 1}}) {
    SCOPED_TRACE(testing::Message() << count << " from " << shift);
    const std::vector<float> values = values_to_round(count + shift);
    const DeviceVector<float> wide(*this->stream_, values);
    const auto narrow = filled<T>(*this->stream_, count + shift + 1);
    const auto back = filled<float>(*this->stream_, count + shift + 1);
    const auto n = static_cast<std::ptrdiff_t>(count);
    kernels::convert(narrow.data() + shift, static_cast<const float*>(wide.data()) + shift, n, *this->stream_);
    kernels::convert(back.data() + shift, static_cast<const T*>(narrow.data()) + shift, n, *this->stream_);
    const auto rounded = narrow.values();
    const auto widened = back.values();
    std::size_t wrong = 0;
    for (std::size_t i = shift; i < count + shift; ++i) {
      if (rounded[i].bits() != T(values[i]).bits()) ++wrong;
      if (widened[i] != static_cast<float>(T(values[i]))) ++wrong;
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_EQ(static_cast<float>(rounded.back()), 7.0F) << "one too many";
    EXPECT_EQ(widened.back(), 7.0F) << "one too many";
    if (shift > 0) {
      EXPECT_EQ(static_cast<float>(rounded.front()), 7.0F) << "one before";
      EXPECT_EQ(widened.front(), 7.0F) << "one before";
    }
  }
}

}  // namespace
}  // namespace plume::tests

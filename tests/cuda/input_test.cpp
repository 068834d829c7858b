// Batches from raw tiles on CUDA: bit for bit what the CPU makes of them.
#include "kernels/input.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "../kernels/input_case.hpp"
#include "device_array.hpp"

namespace plume::tests {
namespace {

// The batch's shape, its channels and what lies behind each pixel.
struct Batch {
  int h, w, channels, extra_stride;
};
// Single channels; packs with bands that do not fill them; a pixel's end that belongs to others; rows of whole packs of
// labels; more channels than a row of threads; more pixels than the emulated device's threads.
constexpr Batch batches[] = {{5, 5, 3, 0},   {7, 4, 8, 0},  {4, 4, 8, 8},  {5, 5, 5, 3},
                             {8, 16, 16, 0}, {5, 5, 33, 0}, {40, 41, 4, 1}};

// Crops that do not fill their images.
void shorten(std::vector<kernels::Placement>& placements) {
  for (kernels::Placement& placement : placements) {
    placement.height -= 2;
    placement.width -= 1;
  }
}

template <class Raw>
class CudaInput : public OnCuda {
 protected:
  template <class T>
  void check(const Batch& batch) {
    SCOPED_TRACE(testing::Message() << batch.h << 'x' << batch.w << 'x' << batch.channels << " + "
                                    << batch.extra_stride);
    const InputCase<Raw> in(8, batch.h + 3, batch.w + 5, 3);
    auto placements = in.placements(batch.h, batch.w);
    if (batch.h != batch.w) shorten(placements);
    const Array before = as_stored<T>(Array::random(in.n, batch.h, batch.w, batch.channels, 9));
    Pixels<float> expected(before);
    kernels::prepare_images(expected.image(), in.tiles(), placements.data(), in.scaling(), cpu_);

    const DeviceVector<Raw> raw(*stream_, in.raw);
    const DeviceVector<float> mean(*stream_, in.mean), std(*stream_, in.std);
    const kernels::Memory device_placements = on_device(*stream_, placements);
    const auto* where = reinterpret_cast<const kernels::Placement*>(device_placements.data());
    const DevicePixels<T> out(*stream_, before, batch.extra_stride);
    kernels::prepare_images(out.image(), kernels::Image<const Raw>(raw.data(), in.n, in.rows, in.columns, in.bands),
                            where, {mean.data(), std.data()}, *stream_);
    EXPECT_EQ(out.array().values, as_stored<T>(expected.array()).values);
  }
};
using RawElements = testing::Types<std::uint8_t, std::uint16_t, float>;
TYPED_TEST_SUITE(CudaInput, RawElements);

TYPED_TEST(CudaInput, Images) {
  for (const Batch& batch : batches) {
    this->template check<float>(batch);
    this->template check<bf16>(batch);
  }
}

using CudaLabels = OnCuda;

TEST_F(CudaLabels, Labels) {
  for (const Batch& batch : batches) {
    const InputCase<std::uint8_t> in(8, batch.h + 3, batch.w + 5, 1);
    auto placements = in.placements(batch.h, batch.w);
    if (batch.h != batch.w) shorten(placements);
    std::vector<std::uint8_t> expected(static_cast<std::size_t>(in.n * batch.h * batch.w));
    const std::size_t count = expected.size();
    kernels::prepare_labels({expected.data(), in.n, batch.h, batch.w, 1}, in.label_tiles(), placements.data(), cpu_);

    const DeviceVector<std::uint8_t> labels(*stream_, in.labels);
    const kernels::Memory device_placements = on_device(*stream_, placements);
    for (const std::size_t shift : {0U, 1U}) {
      const DeviceVector<std::uint8_t> out(*stream_, std::vector<int>(count + shift, 99));
      kernels::prepare_labels({out.data() + shift, in.n, batch.h, batch.w, 1},
                              {labels.data(), in.n, in.rows, in.columns, 1},
                              reinterpret_cast<const kernels::Placement*>(device_placements.data()), *stream_);
      auto result = out.values();
      result.erase(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(shift));
      EXPECT_EQ(result, expected) << batch.h << 'x' << batch.w << " from " << shift;
    }
  }
}

TEST_F(CudaLabels, CoarseOnes) {
  const auto labels = random_labels(std::size_t{3} * 80 * 72, 4, 5);
  const DeviceVector<std::uint8_t> there(*stream_, labels);
  for (const int factor : {1, 2, 8}) {
    const int h = 80 / factor;
    const int w = 72 / factor;
    std::vector<std::uint8_t> expected(static_cast<std::size_t>(3 * h * w));
    kernels::subsample_labels({expected.data(), 3, h, w, 1}, {labels.data(), 3, 80, 72, 1}, cpu_);
    const DeviceVector<std::uint8_t> out(*stream_, std::vector<int>(expected.size(), 99));
    kernels::subsample_labels({out.data(), 3, h, w, 1}, {there.data(), 3, 80, 72, 1}, *stream_);
    EXPECT_EQ(out.values(), expected) << factor;
  }
}

}  // namespace
}  // namespace plume::tests

// Augmented batches on CUDA: bit for bit what the CPU makes of them, and noise to rounding.
#include "kernels/augment.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "../kernels/augment_case.hpp"
#include "device_array.hpp"

namespace plume::tests {
namespace {

// The batch's shape, its bands, its channels and what lies behind each pixel.
struct Batch {
  int h, w, bands, channels, extra_stride;
};
// Single channels; packs with bands that do not fill them; a pixel's end that belongs to others; more bands than a
// block of noise, in packs and one by one; more channels than a row of threads; more pixels than the emulated device's
// threads.
constexpr Batch batches[] = {{5, 5, 3, 3, 0},  {7, 4, 3, 8, 0},  {4, 4, 3, 8, 8},  {8, 9, 6, 7, 1},
                             {6, 6, 6, 16, 0}, {5, 5, 3, 33, 0}, {40, 41, 3, 4, 1}};

template <class Raw>
class CudaAugment : public OnCuda {
 protected:
  static AugmentCase<Raw> moved(const Batch& batch) {
    auto on = AugmentCase<Raw>(8, batch.h + 3, batch.w + 5, batch.bands, batch.h, batch.w).move().recolour().hide();
    if (batch.h == batch.w) return on;
    for (kernels::Augmentation& image : on.images) {  // they do not fill the batch's
      image.height -= 2;
      image.width -= 1;
    }
    return on;
  }

  template <class T>
  void check(const AugmentCase<Raw>& on, const Batch& batch, double noise_bound) {
    SCOPED_TRACE(testing::Message() << batch.h << 'x' << batch.w << 'x' << batch.channels << " + "
                                    << batch.extra_stride);
    const Array before = as_stored<T>(Array::random(on.in.n, batch.h, batch.w, batch.channels, 9));
    Pixels<float> expected(before);
    kernels::augment_images(expected.image(), on.in.tiles(), on.augmentation(), on.in.scaling(), cpu_);

    const DeviceVector<Raw> raw(*stream_, on.in.raw);
    const DeviceVector<float> mean(*stream_, on.in.mean), std(*stream_, on.in.std);
    const OnDevice augmentation(*stream_, on);
    const DevicePixels<T> out(*stream_, before, batch.extra_stride);
    kernels::augment_images(out.image(),
                            kernels::Image<const Raw>(raw.data(), on.in.n, on.in.rows, on.in.columns, on.in.bands),
                            augmentation.all, {mean.data(), std.data()}, *stream_);
    if (noise_bound == 0) {
      EXPECT_EQ(out.array().values, as_stored<T>(expected.array()).values);
    } else {
      expect_near(out.array(), expected.array(), noise_bound, "noise");
    }
  }

  // An augmentation in the device's memory.
  struct OnDevice {
    kernels::Memory images, bands, nodes;
    kernels::BatchAugmentation all;

    template <class Case>
    OnDevice(kernels::CudaStream& stream, const Case& on)
        : images(on_device(stream, on.images)), bands(on_device(stream, on.bands)), all(on.augmentation()) {
      all.images = reinterpret_cast<const kernels::Augmentation*>(images.data());
      all.bands = reinterpret_cast<const kernels::BandChange*>(bands.data());
      if (on.cells == 0) return;
      nodes = on_device(stream, on.nodes);
      all.elastic.nodes = reinterpret_cast<const kernels::PixelPosition*>(nodes.data());
    }
  };
};
using RawElements = testing::Types<std::uint8_t, std::uint16_t, float>;
TYPED_TEST_SUITE(CudaAugment, RawElements);

TYPED_TEST(CudaAugment, Images) {
  for (const Batch& batch : batches) {
    this->template check<float>(this->moved(batch), batch, 0);
    this->template check<bf16>(this->moved(batch).bend(2), batch, 0);
    this->template check<float>(this->moved(batch).bend(3).add_noise(), batch, 1e-5);
  }
}

using CudaAugmentedLabels = CudaAugment<std::uint8_t>;

TEST_F(CudaAugmentedLabels, Labels) {
  for (const Batch& batch : batches) {
    for (const bool bent : {false, true}) {
      auto on = moved(batch);
      if (bent) on.bend(3);
      std::vector<std::uint8_t> expected(static_cast<std::size_t>(on.in.n * batch.h * batch.w));
      const std::size_t count = expected.size();
      kernels::augment_labels({expected.data(), on.in.n, batch.h, batch.w, 1}, on.in.label_tiles(), on.augmentation(),
                              cpu_);

      const DeviceVector<std::uint8_t> labels(*stream_, on.in.labels);
      const OnDevice augmentation(*stream_, on);
      for (const std::size_t shift : {0U, 1U}) {
        const DeviceVector<std::uint8_t> out(*stream_, std::vector<int>(count + shift, 99));
        kernels::augment_labels({out.data() + shift, on.in.n, batch.h, batch.w, 1},
                                {labels.data(), on.in.n, on.in.rows, on.in.columns, 1}, augmentation.all, *stream_);
        auto result = out.values();
        result.erase(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(shift));
        EXPECT_EQ(result, expected) << batch.h << 'x' << batch.w << " from " << shift;
      }
    }
  }
}

}  // namespace
}  // namespace plume::tests

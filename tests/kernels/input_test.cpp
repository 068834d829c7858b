// Batches from raw tiles on the CPU: each orientation and crop by the definition, every raw type, channels that pad.
#include "kernels/input.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "array.hpp"
#include "input_case.hpp"
#include "kernels/loss.hpp"

namespace plume::tests {
namespace {

// What the crop, transposed and then mirrored step by step, holds.
std::vector<int> turned_by_steps(const kernels::Placement& placement, int edge, int columns) {
  std::vector<int> crop;
  for (int y = 0; y < edge; ++y) {
    for (int x = 0; x < edge; ++x) crop.push_back((placement.row + y) * columns + placement.column + x);
  }
  const auto reordered = [&](const auto& from) {
    std::vector<int> result;
    for (int y = 0; y < edge; ++y) {
      for (int x = 0; x < edge; ++x) {
        const auto [row, column] = from(y, x);
        result.push_back(crop[static_cast<std::size_t>(row * edge + column)]);
      }
    }
    return result;
  };
  if (placement.transpose) crop = reordered([](int y, int x) { return std::pair(x, y); });
  if (placement.flip_rows) crop = reordered([&](int y, int x) { return std::pair(edge - 1 - y, x); });
  if (placement.flip_columns) crop = reordered([&](int y, int x) { return std::pair(y, edge - 1 - x); });
  return crop;
}

template <class Raw>
class Input : public testing::Test {};
using RawElements = testing::Types<std::uint8_t, std::uint16_t, float>;
TYPED_TEST_SUITE(Input, RawElements);

TYPED_TEST(Input, EveryOrientationOfACrop) {
  using Raw = TypeParam;
  constexpr int edge = 5;
  const InputCase<Raw> in(8, 9, 11, 3);
  const auto placements = in.placements(edge, edge);
  kernels::CpuStream stream{2};
  const Array before = Array::random(in.n, edge, edge, 8, 9);
  Pixels<float> out(before, 1);
  kernels::prepare_images(out.image(), in.tiles(), placements.data(), in.scaling(), stream);
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(in.n * edge * edge));
  kernels::prepare_labels({labels.data(), in.n, edge, edge, 1}, in.label_tiles(), placements.data(), stream);
  const Array images = out.array();
  for (int n = 0; n < in.n; ++n) {
    const kernels::Placement& placement = placements[static_cast<std::size_t>(n)];
    const auto from = turned_by_steps(placement, edge, in.columns);
    for (int p = 0; p < edge * edge; ++p) {
      const int pixel = placement.tile * in.rows * in.columns + from[static_cast<std::size_t>(p)];
      ASSERT_EQ(labels[static_cast<std::size_t>(n * edge * edge + p)], in.labels[static_cast<std::size_t>(pixel)]);
      for (int c = 0; c < 8; ++c) {
        float wanted = 0;
        if (c < in.bands) {
          const auto b = static_cast<std::size_t>(c);
          const auto raw = static_cast<float>(in.raw[static_cast<std::size_t>(pixel * in.bands + c)]);
          wanted = (raw - in.mean[b]) / in.std[b];
        }
        ASSERT_EQ(images(n, p / edge, p % edge, c), wanted) << "image " << n << ", pixel " << p << ", channel " << c;
      }
    }
  }
}

TYPED_TEST(Input, LargerImagesRepeatTheCropsLastRowAndColumn) {
  constexpr int h = 4;
  constexpr int w = 6;
  const InputCase<TypeParam> in(8, 9, 11, 3);
  const auto placements = in.placements(h, w);
  kernels::CpuStream stream{2};
  const auto made = [&](int height, int width) {
    Pixels<float> out(Array::random(in.n, height, width, 4, 9));
    kernels::prepare_images(out.image(), in.tiles(), placements.data(), in.scaling(), stream);
    return out.array();
  };
  const auto labels_of = [&](int height, int width) {
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(in.n * height * width), 77);
    kernels::prepare_labels({labels.data(), in.n, height, width, 1}, in.label_tiles(), placements.data(), stream);
    return labels;
  };
  const Array exact = made(h, w);
  const Array padded = made(h + 3, w + 2);
  for_each(padded, [&](int n, int y, int x, int c) {
    ASSERT_EQ(padded(n, y, x, c), exact(n, std::min(y, h - 1), std::min(x, w - 1), c));
  });
  const auto labels = labels_of(h, w);
  const auto padded_labels = labels_of(h + 3, w + 2);
  for (int p = 0; p < std::ssize(padded_labels); ++p) {
    const int x = p % (w + 2);
    const int y = p / (w + 2) % (h + 3);
    const int n = p / (w + 2) / (h + 3);
    const bool within = y < h && x < w;
    ASSERT_EQ(padded_labels[static_cast<std::size_t>(p)],
              within ? labels[static_cast<std::size_t>((n * h + y) * w + x)] : kernels::ignore_label);
  }
}

TEST(InputLabels, CoarseOnesAreThoseInTheMiddleOfTheirBlocks) {
  const auto labels = random_labels(std::size_t{2} * 8 * 12, 4, 5);
  kernels::CpuStream stream{2};
  for (const int factor : {1, 2, 4}) {
    const int h = 8 / factor;
    const int w = 12 / factor;
    std::vector<std::uint8_t> coarse(static_cast<std::size_t>(2 * h * w));
    kernels::subsample_labels({coarse.data(), 2, h, w, 1}, {labels.data(), 2, 8, 12, 1}, stream);
    for (int i = 0; i < std::ssize(coarse); ++i) {
      const int row = i / w % h * factor + factor / 2;
      const int column = i % w * factor + factor / 2;
      ASSERT_EQ(coarse[static_cast<std::size_t>(i)],
                labels[static_cast<std::size_t>((i / (h * w) * 8 + row) * 12 + column)]);
    }
  }
}

}  // namespace
}  // namespace plume::tests

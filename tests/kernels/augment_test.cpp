// Augmentation on the CPU: against its definition in f64, and the bits of plain input where nothing is changed.
#include "kernels/augment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "augment_case.hpp"

namespace plume::tests {
namespace {

template <class Raw>
Array augmented(const AugmentCase<Raw>& on, int channels, int threads = 2, int more = 0) {
  kernels::CpuStream stream{threads};
  Pixels<float> out(Array::random(on.in.n, on.h + more, on.w + more, channels, 9), 1);
  kernels::augment_images(out.image(), on.in.tiles(), on.augmentation(), on.in.scaling(), stream);
  return out.array();
}

template <class Raw>
std::vector<std::uint8_t> augmented_labels(const AugmentCase<Raw>& on, int threads = 2, int more = 0) {
  kernels::CpuStream stream{threads};
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(on.in.n * (on.h + more) * (on.w + more)), 77);
  kernels::augment_labels({labels.data(), on.in.n, on.h + more, on.w + more, 1}, on.in.label_tiles(), on.augmentation(),
                          stream);
  return labels;
}

// Values and labels against the definition; a label only where f32 cannot round a position to the other side.
template <class Raw>
void expect_definition(const AugmentCase<Raw>& on, std::string_view what) {
  const int channels = on.in.bands + 2;
  const Array ours = augmented(on, channels);
  Array wanted = ours.like();
  for_each(wanted,
           [&](int n, int y, int x, int c) { wanted(n, y, x, c) = c < on.in.bands ? on.value(n, y, x, c) : 0; });
  expect_near(ours, wanted, sizeof(Raw) == 1 ? 2e-5 : 4e-5, what);
  const auto labels = augmented_labels(on);
  int compared = 0;
  std::set<int> seen;
  for (int n = 0; n < on.in.n; ++n) {
    for (int y = 0; y < on.h; ++y) {
      for (int x = 0; x < on.w; ++x) {
        const auto [row, column] = on.source(n, y, x);
        const auto close = [](double at) { return std::abs(at + 0.5 - std::round(at + 0.5)) < 1e-4; };
        if (close(row) || close(column)) continue;
        ++compared;
        const int label = labels[static_cast<std::size_t>((n * on.h + y) * on.w + x)];
        seen.insert(label);
        ASSERT_EQ(label, on.label(n, y, x)) << what << ": image " << n << ", " << y << ", " << x;
      }
    }
  }
  EXPECT_GT(compared, on.in.n * on.h * on.w * 9 / 10) << what;
  EXPECT_EQ(seen.size(), 6U) << what;  // five classes and ignored
}

template <class Raw>
class Augment : public testing::Test {};
using RawElements = testing::Types<std::uint8_t, std::uint16_t, float>;
TYPED_TEST_SUITE(Augment, RawElements);

TYPED_TEST(Augment, ChangingNothingGivesTheBitsOfPlainInput) {
  constexpr int edge = 7;
  AugmentCase<TypeParam> on(8, 9, 11, 3, edge, edge);
  const auto placements = on.in.placements(edge, edge);
  for (std::size_t i = 0; i < placements.size(); ++i) {
    on.images[i].tile = placements[i].tile;
    const auto corner = [&](int y, int x) { return placements[i].source(y, x); };
    auto& map = on.images[i].inverse_map;
    map[0][2] = static_cast<float>(corner(0, 0).row);
    map[1][2] = static_cast<float>(corner(0, 0).column);
    map[0][0] = static_cast<float>(corner(1, 0).row - corner(0, 0).row);
    map[0][1] = static_cast<float>(corner(0, 1).row - corner(0, 0).row);
    map[1][0] = static_cast<float>(corner(1, 0).column - corner(0, 0).column);
    map[1][1] = static_cast<float>(corner(0, 1).column - corner(0, 0).column);
  }
  kernels::CpuStream stream{2};
  Pixels<float> plain(Array::random(8, edge, edge, 5, 9), 1);
  kernels::prepare_images(plain.image(), on.in.tiles(), placements.data(), on.in.scaling(), stream);
  std::vector<std::uint8_t> labels(std::size_t{8} * edge * edge);
  kernels::prepare_labels({labels.data(), 8, edge, edge, 1}, on.in.label_tiles(), placements.data(), stream);
  EXPECT_EQ(augmented(on, 5).values, plain.array().values);
  EXPECT_EQ(augmented_labels(on), labels);
  on.bend(3, 0);  // a field at rest
  EXPECT_EQ(augmented(on, 5).values, plain.array().values);
}

TYPED_TEST(Augment, FollowsTheDefinition) {
  using Case = AugmentCase<TypeParam>;
  const Case still(7, 23, 19, 3, 16, 18);
  expect_definition(Case(still).move(), "affine map");
  expect_definition(Case(still).bend(4).hide(), "elastic field");
  expect_definition(Case(still).recolour().hide(), "brightness, contrast and hole");
  expect_definition(Case(still).move().bend(3).recolour().hide(), "all");
  expect_definition(Case(7, 23, 19, 6, 30, 31).move(8).bend(1).recolour(), "images larger than their tiles");
}

TYPED_TEST(Augment, ThreadsChangeNoBit) {
  auto on = AugmentCase<TypeParam>(7, 23, 19, 5, 16, 18).move().bend(4).recolour().add_noise().hide();
  EXPECT_EQ(augmented(on, 5, 1).values, augmented(on, 5, 3).values);
  EXPECT_EQ(augmented_labels(on, 1), augmented_labels(on, 3));
}

TYPED_TEST(Augment, LargerImagesRepeatTheLastRowAndColumn) {
  constexpr int more = 3;
  const auto on = AugmentCase<TypeParam>(7, 23, 19, 3, 16, 18).move().bend(4).recolour().add_noise().hide();
  const Array exact = augmented(on, 3);
  const Array padded = augmented(on, 3, 2, more);
  for_each(padded, [&](int n, int y, int x, int c) {
    ASSERT_EQ(padded(n, y, x, c), exact(n, std::min(y, on.h - 1), std::min(x, on.w - 1), c));
  });
  const auto labels = augmented_labels(on);
  const auto padded_labels = augmented_labels(on, 2, more);
  for_each(padded, [&](int n, int y, int x, int) {
    const bool within = y < on.h && x < on.w;
    ASSERT_EQ(padded_labels[static_cast<std::size_t>((n * (on.h + more) + y) * (on.w + more) + x)],
              within ? labels[static_cast<std::size_t>((n * on.h + y) * on.w + x)] : kernels::ignore_label);
  });
}

TEST(AugmentNoise, IsStandardNormalTimesItsDeviation) {
  AugmentCase<float> on(2, 200, 200, 5, 200, 200);
  const Array before = augmented(on, 5);
  for (auto& change : on.bands) change.noise = 0.5F;
  on.bands[3].noise = 0;
  on.images[0].noise_key = 1;
  on.images[1].noise_key = 2;
  const Array after = augmented(on, 5);
  constexpr double count = 200 * 200;
  std::vector<std::vector<double>> noise(10);
  for_each(after, [&](int n, int y, int x, int c) {
    noise[static_cast<std::size_t>(n * 5 + c)].push_back((after(n, y, x, c) - before(n, y, x, c)) / 0.5);
  });
  const auto mean_of = [&](const std::vector<double>& a, const std::vector<double>& b, int power) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(a[i] * b[i], power);
    return sum / count;
  };
  const std::vector<double> ones(noise[0].size(), 1);
  for (std::size_t a = 0; a < noise.size(); ++a) {
    if (a == 3) {
      EXPECT_EQ(mean_of(noise[a], noise[a], 1), 0);
      continue;
    }
    // Five standard errors of the moments of a standard normal; its third is 0, its fourth 3.
    EXPECT_NEAR(mean_of(noise[a], ones, 1), 0, 5 * std::sqrt(1 / count));
    EXPECT_NEAR(mean_of(noise[a], ones, 2), 1, 5 * std::sqrt(2 / count));
    EXPECT_NEAR(mean_of(noise[a], ones, 3), 0, 5 * std::sqrt(15 / count));
    EXPECT_NEAR(mean_of(noise[a], ones, 4), 3, 5 * std::sqrt(96 / count));
    for (std::size_t b = 0; b < a; ++b) EXPECT_NEAR(mean_of(noise[a], noise[b], 1), 0, 5 * std::sqrt(1 / count));
  }
}

}  // namespace
}  // namespace plume::tests

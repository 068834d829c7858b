// Images in all orientations, back again, and predictions averaged over them.
#include "unet/inference/orientation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "trained_network.hpp"
#include "unet/families.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {
namespace {

std::vector<float> noise(const nn::Shape& shape, std::uint64_t seed) {
  const auto values = tests::random_values(shape.count(), seed);
  return {values.begin(), values.end()};
}

TEST(Orientation, AsDrawn) {
  const nn::Shape shape{1, 2, 3, 1};
  const std::vector<float> image{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(orient({.flip_rows = true}, shape, image.data()), (std::vector<float>{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(orient({.flip_columns = true}, shape, image.data()), (std::vector<float>{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(orient({.transpose = true}, shape, image.data()), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  // A quarter turn to the right, and to the left.
  EXPECT_EQ(orient({.transpose = true, .flip_columns = true}, shape, image.data()),
            (std::vector<float>{4, 1, 5, 2, 6, 3}));
  EXPECT_EQ(orient({.transpose = true, .flip_rows = true}, shape, image.data()),
            (std::vector<float>{3, 6, 2, 5, 1, 4}));
}

TEST(Orientation, AllAreDifferentAndLeadBack) {
  const nn::Shape shape{2, 3, 5, 2};
  const auto image = noise(shape, 1);
  for (const auto& [test_time, count] : {std::pair{TestTime::none, 1U}, {TestTime::flips, 4U}, {TestTime::turns, 8U}}) {
    const auto all = orientations(test_time);
    ASSERT_EQ(all.size(), count);
    EXPECT_EQ(all.front(), Orientation{});
    std::set<std::vector<float>> seen;
    for (const Orientation& orientation : all) {
      const auto turned = orient(orientation, shape, image.data());
      seen.insert(turned);
      std::vector<float> back(shape.count());
      add_turned_back(orientation, shape, turned, back);
      EXPECT_EQ(back, image);
    }
    EXPECT_EQ(seen.size(), count);
  }
}

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float largest = a.size() == b.size() ? 0.0F : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

class TestTimeTest : public testing::TestWithParam<TestTime> {
 protected:
  // Of an image whose sides are multiples of what the network takes, so that no padding tells orientations apart.
  [[nodiscard]] std::vector<float> predict(const nn::Shape& shape, const std::vector<float>& image, TestTime test_time,
                                           int edge = 0) const {
    Predictor predictor(network_, 2);
    predictor.average_over(test_time);
    predictor.set_tiles({.edge = edge});
    return predictor.probabilities(image.data(), shape.n, shape.h, shape.w);
  }

  Network network_ = tests::trained_network(build_graph({Family::classic, 3, 2, 4, 2, Up::transposed, 32}));
};
INSTANTIATE_TEST_SUITE_P(All, TestTimeTest, testing::Values(TestTime::flips, TestTime::turns));

TEST_P(TestTimeTest, IsTheMeanOfTheNetworksAnswers) {
  const nn::Shape shape{2, 16, 24, 3};
  const nn::Shape result{2, 16, 24, 2};
  const auto image = noise(shape, 2);
  std::vector<float> mean(result.count());
  const auto all = orientations(GetParam());
  for (const Orientation& orientation : all)
    add_turned_back(orientation, result,
                    predict(oriented(orientation, shape), orient(orientation, shape, image.data()), TestTime::none),
                    mean);
  for (float& value : mean) value /= static_cast<float>(all.size());
  EXPECT_LE(largest_difference(predict(shape, image, GetParam()), mean), 1e-6F);
  EXPECT_GT(largest_difference(predict(shape, image, TestTime::none), mean), 1e-3F);
}

// What it is for: the answer turns with the image.
TEST_P(TestTimeTest, TheAnswerTurnsWithTheImage) {
  const nn::Shape shape{1, 24, 16, 3};
  const nn::Shape result{1, 24, 16, 2};
  const auto image = noise(shape, 3);
  const auto answer = predict(shape, image, GetParam());
  for (const Orientation& orientation : orientations(GetParam())) {
    std::vector<float> back(result.count());
    add_turned_back(orientation, result,
                    predict(oriented(orientation, shape), orient(orientation, shape, image.data()), GetParam()), back);
    EXPECT_LE(largest_difference(back, answer), 1e-5F);
  }
}

TEST_P(TestTimeTest, TilesAreTheWholeImage) {
  const nn::Shape shape{1, 203, 150, 3};
  const auto image = noise(shape, 4);
  const auto whole = predict(shape, image, GetParam());
  EXPECT_LE(largest_difference(predict(shape, image, GetParam(), 80), whole), 1e-5F);
}

}  // namespace
}  // namespace plume::unet

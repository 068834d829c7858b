// What is drawn to vary images: within its range, evenly, by its key alone, and from what was read around the crops.
#include "data/loading/augmentation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/loading/loader.hpp"
#include "kernels/augmented_pixel.hpp"
#include "tiles.hpp"

namespace plume::tests {
namespace {

using data::AugmentSettings;
using data::draw_augmentation;
using data::DrawnAugmentation;
using data::Sample;

constexpr int edge = 21;
constexpr int bands = 5;

const AugmentSettings everything{.share = 0.8,
                                 .scale = 0.5,
                                 .shift = 0.1,
                                 .angle = 30,
                                 .shear = 10,
                                 .elastic = 1.5,
                                 .elastic_cells = 3,
                                 .brightness = 0.4,
                                 .contrast = 0.3,
                                 .noise = 0.2,
                                 .cut_out = 0.4,
                                 .drop_bands = 0.25};

// Of `count` steps with one image each.
std::vector<Sample> samples(int count) {
  std::vector<Sample> result(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Sample& sample = result[static_cast<std::size_t>(i)];
    sample.window = sample.read = {0, 0, edge, edge};
    sample.step = i;
  }
  return result;
}

DrawnAugmentation drawn(const AugmentSettings& settings, int count = 4000) {
  return draw_augmentation(settings, 11, samples(count), bands);
}

// What a map does to the image's middle and to steps down and right from it.
struct Motion {
  double down, right;          // by which the middle's source lies off it
  double scale, angle, shear;  // of the image against its source
};
Motion motion(const kernels::Augmentation& image) {
  const auto at = [&](int row, int column) { return static_cast<double>(image.inverse_map[row][column]); };
  constexpr double middle = (edge - 1) / 2.0;
  const double determinant = at(0, 0) * at(1, 1) - at(0, 1) * at(1, 0);
  // The map's inverse is scale * rotation * shear: its second column is scale * (-sin, cos) of the angle.
  const double right_row = -at(0, 1) / determinant;
  const double right_column = at(0, 0) / determinant;
  const double down_row = at(1, 1) / determinant;
  const double down_column = -at(1, 0) / determinant;
  const double scale = std::hypot(right_row, right_column);
  return {at(0, 0) * middle + at(0, 1) * middle + at(0, 2) - middle,
          at(1, 0) * middle + at(1, 1) * middle + at(1, 2) - middle, scale,
          std::atan2(-right_row, right_column) * 180 / M_PI,
          std::atan((down_row * right_row + down_column * right_column) / (scale * scale)) * 180 / M_PI};
}

// Values lie evenly between the two: in ten bins of about the same count.
void expect_even(const std::vector<double>& values, double least, double most, const char* what) {
  std::vector<int> bins(10);
  for (const double value : values) {
    ASSERT_GE(value, least - 1e-4) << what;
    ASSERT_LE(value, most + 1e-4) << what;
    ++bins[static_cast<std::size_t>(std::clamp((value - least) / (most - least) * 10, 0.0, 9.0))];
  }
  const double expected = static_cast<double>(values.size()) / 10;
  for (const int count : bins) EXPECT_NEAR(count, expected, 5 * std::sqrt(expected)) << what;
}

std::vector<double> of_images(const AugmentSettings& settings, const std::function<double(const Motion&)>& value) {
  std::vector<double> values;
  for (const auto& image : drawn(settings).images) values.push_back(value(motion(image)));
  return values;
}

TEST(Augmentation, NothingIsDrawnWhereNothingIsSet) {
  EXPECT_FALSE(data::changes_images({}));
  EXPECT_FALSE(data::changes_images({.share = 0, .noise = 1}));
  EXPECT_TRUE(drawn({}).images.empty());
  EXPECT_EQ(data::reach({.noise = 1, .cut_out = 0.5}, edge), 0);
}

TEST(Augmentation, MotionsAreEvenInTheirRanges) {
  expect_even(of_images({.scale = 0.5}, [](const Motion& m) { return std::log(m.scale); }), -std::log(1.5),
              std::log(1.5), "scale");
  expect_even(of_images({.shift = 0.2}, [](const Motion& m) { return m.down; }), -0.2 * edge, 0.2 * edge, "shift down");
  expect_even(of_images({.shift = 0.2}, [](const Motion& m) { return m.right; }), -0.2 * edge, 0.2 * edge,
              "shift right");
  expect_even(of_images({.angle = 180}, [](const Motion& m) { return m.angle; }), -180, 180, "angle");
  expect_even(of_images({.shear = 40}, [](const Motion& m) { return m.shear; }), -40, 40, "shear");
  // Each by itself leaves the others at rest.
  for (const auto& image : drawn({.angle = 90}).images) {
    const Motion at = motion(image);
    EXPECT_NEAR(at.scale, 1, 1e-5);
    EXPECT_NEAR(at.shear, 0, 1e-4);
    EXPECT_NEAR(std::hypot(at.down, at.right), 0, 1e-4);
  }
}

TEST(Augmentation, BandsAreChangedInTheirRanges) {
  std::vector<double> contrast, brightness;
  for (const auto& change : drawn({.brightness = 0.4, .contrast = 0.3}).bands) {
    contrast.push_back(static_cast<double>(change.contrast));
    brightness.push_back(static_cast<double>(change.brightness));
  }
  expect_even(contrast, 0.7, 1.3, "contrast");
  expect_even(brightness, -0.4, 0.4, "brightness");
  std::vector<double> noise;  // one deviation an image
  const auto noisy = drawn({.noise = 0.2}).bands;
  for (std::size_t i = 0; i < noisy.size(); i += bands) noise.push_back(static_cast<double>(noisy[i].noise));
  expect_even(noise, 0, 0.2, "noise");
}

TEST(Augmentation, DroppedBandsLeaveOne) {
  for (const double probability : {0.25, 1.0}) {
    const auto changes = drawn({.drop_bands = probability}).bands;
    int dropped = 0;
    for (std::size_t image = 0; image < changes.size(); image += bands) {
      const auto first = changes.begin() + static_cast<std::ptrdiff_t>(image);
      const auto gone = std::count_if(first, first + bands, [](const auto& change) { return change.contrast == 0; });
      EXPECT_LT(gone, bands);
      dropped += static_cast<int>(gone);
    }
    // One band of each image stays in any case.
    EXPECT_NEAR(dropped, probability * 4000 * (bands - 1), 5 * std::sqrt(4000.0 * bands));
  }
}

TEST(Augmentation, HolesLieInTheImage) {
  std::vector<double> sizes;
  for (const auto& image : drawn({.cut_out = 0.5}).images) {
    EXPECT_GE(image.hole_row, 0);
    EXPECT_GE(image.hole_column, 0);
    EXPECT_LE(image.hole_row + image.hole_height, edge);
    EXPECT_LE(image.hole_column + image.hole_width, edge);
    sizes.push_back(image.hole_height);
  }
  EXPECT_EQ(*std::min_element(sizes.begin(), sizes.end()), 0);
  EXPECT_EQ(*std::max_element(sizes.begin(), sizes.end()), 10);  // of 10.5
}

TEST(Augmentation, AShareOfTheImagesIsChanged) {
  const auto changes = drawn({.share = 0.3, .elastic = 2, .elastic_cells = 2, .brightness = 1});
  int changed = 0;
  for (std::size_t i = 0; i < changes.images.size(); ++i) {
    const bool bright = changes.bands[i * bands].brightness != 0;
    const std::size_t nodes = kernels::node_count(2);
    for (std::size_t node = i * nodes; node < (i + 1) * nodes; ++node) {
      EXPECT_EQ(changes.nodes[node].row != 0, bright);
      EXPECT_LE(std::abs(changes.nodes[node].row), 2);
      EXPECT_LE(std::abs(changes.nodes[node].column), 2);
    }
    changed += bright ? 1 : 0;
  }
  EXPECT_NEAR(changed, 1200, 5 * std::sqrt(4000 * 0.3 * 0.7));
}

TEST(Augmentation, OneSettingDoesNotChangeWhatAnotherDraws) {
  const auto alone = drawn({.angle = 30});
  AugmentSettings more = everything;
  more.scale = more.shift = more.shear = more.elastic = 0;
  more.share = 1;
  const auto together = drawn(more);
  for (std::size_t i = 0; i < alone.images.size(); ++i) {
    EXPECT_TRUE(std::equal(&alone.images[i].inverse_map[0][0], &alone.images[i].inverse_map[0][0] + 6,
                           &together.images[i].inverse_map[0][0]));
  }
}

TEST(Augmentation, WrongStrengthsAreRefused) {
  expect_error(
      ErrorKind::usage, [] { data::check({.share = 1.5}); }, "augment.share = 1.5", "from 0 to 1");
  expect_error(
      ErrorKind::usage, [] { data::check({.elastic_cells = 0}); }, "elastic_cells");
  expect_error(
      ErrorKind::usage, [] { data::check({.noise = std::nan("")}); }, "augment.noise");
  data::check(everything);
}

class AugmentedLoading : public testing::Test {
 protected:
  void SetUp() override {
    write_shard(folder_ / "pack.h5", 11);
    shard_ = std::make_unique<data::Shard>(folder_ / "pack.h5");
  }
  [[nodiscard]] std::vector<data::Batch> batches(const data::Sampling& sampling, int threads, int count) const {
    data::Loader loader(*shard_, sampling, {}, {}, threads, 3);
    std::vector<data::Batch> result;
    result.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) result.push_back(loader.next());
    return result;
  }

  ScratchFolder folder_;
  std::unique_ptr<data::Shard> shard_;
  const data::Sampling sampling_{
      .batch = 5, .crop = 9, .flip = true, .rotate = true, .class_share = 0.3F, .seed = 5, .augment = everything};
};

TEST_F(AugmentedLoading, ThreadsAndRanksChangeNothing) {
  const auto whole = batches(sampling_, 1, 9);
  const auto by_many = batches(sampling_, 4, 9);
  data::Sampling part = sampling_;
  part.world = 2;
  const auto first = batches(part, 2, 9);
  part.rank = 1;
  const auto second = batches(part, 2, 9);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    ASSERT_EQ(whole[i].images, 5);
    EXPECT_TRUE(whole[i].augmentation == by_many[i].augmentation);
    EXPECT_EQ(whole[i].pixels, by_many[i].pixels);
    const auto joined = [&](const auto& member) {
      auto all = first[i].augmentation.*member;
      const auto& rest = second[i].augmentation.*member;
      all.insert(all.end(), rest.begin(), rest.end());
      return all;
    };
    EXPECT_TRUE(joined(&DrawnAugmentation::bands) == whole[i].augmentation.bands);
    EXPECT_TRUE(joined(&DrawnAugmentation::nodes) == whole[i].augmentation.nodes);
    auto images = joined(&DrawnAugmentation::images);
    for (std::size_t image = 0; image < images.size(); ++image) images[image].tile = static_cast<int>(image);
    EXPECT_TRUE(images == whole[i].augmentation.images);
  }
  EXPECT_FALSE(whole[0].augmentation == whole[1].augmentation);
}

// What is read around a crop is enough: a label is ignored only where it comes from outside of the tile.
TEST_F(AugmentedLoading, LabelsComeFromTheWholeTile) {
  AugmentSettings geometry = everything;
  geometry.cut_out = 0;
  int from_outside_the_crop = 0;
  for (const double angle : {0.0, 20.0, 180.0}) {
    geometry.angle = angle;
    data::Sampling sampling = sampling_;
    sampling.augment = geometry;
    for (const data::Batch& batch : batches(sampling, 2, 30)) {
      const kernels::BatchAugmentation how{
          batch.augmentation.images.data(), batch.augmentation.bands.data(),
          kernels::elastic_field(batch.augmentation.nodes.data(), batch.augmentation.cells, 9, 9)};
      const kernels::Image<const std::uint8_t> stored(batch.labels.data(), batch.images, batch.height, batch.width, 1);
      for (int i = 0; i < batch.images; ++i) {
        const Sample& sample = batch.samples[static_cast<std::size_t>(i)];
        for (int pixel = 0; pixel < 81; ++pixel) {
          const kernels::BatchPixel at{i, pixel / 9, pixel % 9};
          const auto from = kernels::source_position(how, at);
          const int row = sample.read.row + static_cast<int>(std::floor(from.row + 0.5F));
          const int column = sample.read.column + static_cast<int>(std::floor(from.column + 0.5F));
          const bool inside = row >= 0 && column >= 0 && row < 24 && column < 24;
          const std::uint8_t wanted =
              inside ? shard_->labels(sample.tile)[static_cast<std::size_t>(row * 24 + column)] : kernels::ignore_label;
          ASSERT_EQ(kernels::augmented_label(stored, how, at), wanted);
          const data::Window& crop = sample.window;
          const bool beyond =
              row < crop.row || row >= crop.row + 9 || column < crop.column || column >= crop.column + 9;
          from_outside_the_crop += inside && beyond ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(from_outside_the_crop, 1000);
}

// Without a motion the maps are the orientations of plain input.
TEST_F(AugmentedLoading, MapsAreTheSamplesOrientations) {
  data::Sampling sampling = sampling_;
  sampling.augment = {.brightness = 1};
  for (const data::Batch& batch : batches(sampling, 2, 9)) {
    ASSERT_EQ(batch.height, 9);
    const kernels::BatchAugmentation how{batch.augmentation.images.data(), batch.augmentation.bands.data(), {}};
    for (int i = 0; i < batch.images; ++i) {
      const Sample& sample = batch.samples[static_cast<std::size_t>(i)];
      const kernels::Placement placement{i, 0, 0, 9, 9, sample.transpose, sample.flip_rows, sample.flip_columns};
      for (int pixel = 0; pixel < 81; ++pixel) {
        const auto wanted = placement.source(pixel / 9, pixel % 9);
        const auto from = kernels::source_position(how, {i, pixel / 9, pixel % 9});
        ASSERT_EQ(from.row, static_cast<float>(wanted.row));
        ASSERT_EQ(from.column, static_cast<float>(wanted.column));
      }
    }
  }
}

}  // namespace
}  // namespace plume::tests

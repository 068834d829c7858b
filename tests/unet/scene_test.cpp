// Images that are predicted while they are read: as whole ones, each row read once, and no more of them held than
// tiles need.
#include "unet/inference/scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "data/images/npy.hpp"
#include "trained_network.hpp"
#include "unet/families.hpp"

namespace plume::unet {
namespace {

constexpr int height = 611;
constexpr int width = 143;
constexpr int bands = 3;

// Noise, a tenth of which is fill.
data::Raster image_of_noise() {
  data::Raster image;
  image.height = height;
  image.width = width;
  image.bands = bands;
  const auto values = tests::random_values(std::size_t{height} * width * bands, 5);
  image.pixels.assign(values.begin(), values.end());
  const auto fill = tests::random_values(std::size_t{height} * width, 6);
  for (const double value : fill) image.valid.push_back(value < 0.8 ? 1 : 0);
  return image;
}

// Notes what is asked for.
class Watched final : public data::ImageRows {
 public:
  explicit Watched(const data::Raster& image) : ImageRows({height, width, bands}, {}), image_(image) {}
  [[nodiscard]] data::Raster read(int first, int last) override {
    EXPECT_EQ(first, next_) << "rows are read once, from above";
    next_ = last;
    most_ = std::max(most_, last - first);
    return image_.read(first, last);
  }
  int next_ = 0;
  int most_ = 0;

 private:
  data::WholeImage image_;
};

class SceneTest : public testing::Test {
 protected:
  [[nodiscard]] std::vector<float> predict(const std::vector<float>& pixels, int rows, int columns,
                                           const TileSettings& tiles = {}) const {
    Predictor predictor(network_, 2);
    predictor.set_tiles(tiles);
    return predictor.probabilities(pixels.data(), 1, rows, columns);
  }

  [[nodiscard]] Strip whole() const {
    return {image_, decide(predict(image_.pixels, height, width), image_, network_.graph().classes, 0.5F)};
  }

  // The bytes that a result has when it is written strip by strip, in tiles of this edge.
  struct Written {
    std::vector<std::byte> bytes;
    double share = 0;
    int rows_together = 0;
  };
  [[nodiscard]] Written write(ResultKind kind, int edge, const ResultOptions& options = {},
                              std::int64_t least_area = 0) const {
    Written written;
    Predictor tiled(network_, 2);
    tiled.set_tiles({.edge = edge});
    std::vector<std::unique_ptr<ResultWriter>> writers;
    writers.push_back(make_writer(kind, {{height, width, bands}, network_.graph().classes}, options,
                                  [&](std::span<const std::byte> bytes) {
                                    written.bytes.insert(written.bytes.end(), bytes.begin(), bytes.end());
                                  }));
    Watched watched(image_);
    written.share =
        predict_scene(tiled, network_.graph(), watched, {.threshold = 0.5F, .least_area = least_area}, writers);
    EXPECT_EQ(watched.next_, height);
    written.rows_together = watched.most_;
    return written;
  }

  data::Raster image_ = image_of_noise();
  Network network_ = tests::trained_network(build_graph({Family::classic, bands, 1, 4, 2, Up::transposed, 32}));
};

TEST_F(SceneTest, ItsProbabilitiesAreThoseOfTheWholeImage) {
  const Strip expected = whole();
  for (const int edge : {80, 112, 1000}) {
    SCOPED_TRACE(edge);
    const Written written = write(ResultKind::npy, edge);
    const auto found = data::decode_npy(written.bytes, "probability");
    EXPECT_EQ(found.shape, (std::vector<std::int64_t>{height, width, 1}));
    ASSERT_EQ(found.values.size(), expected.found.probability.size());
    float largest = 0;
    for (std::size_t i = 0; i < found.values.size(); ++i)
      largest = std::max(largest, std::abs(found.values[i] - expected.found.probability[i]));
    EXPECT_LE(largest, 1e-5F);
    EXPECT_NEAR(written.share, expected.found.smoke_fraction(), 1e-4);
    EXPECT_LE(written.rows_together, 256);
  }
}

// In one tile probabilities are the same to the bit, and 611 rows are three strips.
TEST_F(SceneTest, EveryResultIsThatOfTheWholeImage) {
  const Strip expected = whole();
  const Stretch stretch = stretch_of(image_);
  for (const auto& [name, kind] : result_names) {
    if (kind == ResultKind::kml) continue;
    SCOPED_TRACE(name);
    const ResultOptions options{.stretch = stretch, .tolerance = 1};
    EXPECT_TRUE(write(kind, 1000, options).bytes == encode(kind, expected, options));
  }
}

TEST_F(SceneTest, AStretchIsTheSameByRows) {
  data::WholeImage rows(image_);
  EXPECT_EQ(stretch_of(rows).low, stretch_of(image_).low);
  EXPECT_EQ(stretch_of(rows).high, stretch_of(image_).high);
}

TEST_F(SceneTest, KmlNeedsAPlace) {
  tests::expect_error(
      ErrorKind::input,
      [] {
        static_cast<void>(make_writer(ResultKind::kml, {{4, 4, 1}, 1, {}, "somewhere.png"}, {}, {}));
      },
      "somewhere.png", "KML", "geojson");
}

// Every pixel is the mean of the tiles that hold it, by Gaussians about their centres; computed here tile by tile.
TEST_F(SceneTest, SmoothTilesAreAWeightedMean) {
  constexpr int edge = 32;
  constexpr int stride = 24;
  const auto found = predict(image_.pixels, height, width, {.edge = edge, .blend = Blend::smooth, .overlap = 0.25});
  std::vector<double> sums(found.size());
  std::vector<double> weights(found.size());
  const auto places = [](int extent) {  // of tiles, as evenly as multiples of 4 allow
    const int padded = (extent + 3) / 4 * 4;
    const int steps = (padded - edge + stride - 1) / stride;
    std::vector<int> all;
    for (int step = 0; step <= steps; ++step) all.push_back((padded - edge) / 4 * step / steps * 4);
    return all;
  };
  for (const int top : places(height)) {
    for (const int left : places(width)) {
      std::vector<float> tile;
      for (int y = top; y < top + edge; ++y) {
        for (int x = left; x < left + edge; ++x) {
          const auto pixel =
              static_cast<std::ptrdiff_t>((std::min(y, height - 1) * width + std::min(x, width - 1)) * bands);
          tile.insert(tile.end(), image_.pixels.begin() + pixel, image_.pixels.begin() + pixel + bands);
        }
      }
      const auto answer = predict(tile, edge, edge);
      for (int y = top; y < std::min(top + edge, height); ++y) {
        for (int x = left; x < std::min(left + edge, width); ++x) {
          const double down = (y - top - (edge - 1) / 2.0) / (edge / 8.0);
          const double right = (x - left - (edge - 1) / 2.0) / (edge / 8.0);
          const double weight = std::exp(-(down * down + right * right) / 2);
          const auto pixel = static_cast<std::size_t>(y * width + x);
          sums[pixel] += weight * static_cast<double>(answer[static_cast<std::size_t>((y - top) * edge + x - left)]);
          weights[pixel] += weight;
        }
      }
    }
  }
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(found[i]) - sums[i] / weights[i]));
  EXPECT_LE(largest, 1e-5);
  // And it is another answer than that of the whole image.
  const auto untiled = predict(image_.pixels, height, width);
  float difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) difference = std::max(difference, std::abs(found[i] - untiled[i]));
  EXPECT_GT(difference, 1e-4F);
}

TEST(OverlapAxis, WeightsAreOneTogether) {
  for (const int multiple : {1, 4, 16}) {
    for (const double overlap : {0.0, 0.25, 0.5, 0.9}) {
      for (int extent = multiple; extent < 40 * multiple; extent += 3 * multiple) {
        SCOPED_TRACE(testing::Message() << extent << " by " << multiple << ", overlap " << overlap);
        const TileAxis axis = overlap_axis(extent, multiple, 8 * multiple + multiple / 2, overlap);
        std::vector<float> sums(static_cast<std::size_t>(extent));
        int last = 0;
        for (const TileSpan& span : axis.spans) {
          EXPECT_EQ(span.first % multiple, 0);
          EXPECT_LE(span.first, last);
          EXPECT_GE(span.first, 0);
          EXPECT_EQ(span.kept_first, span.first);
          EXPECT_EQ(span.kept_last, span.first + axis.size);
          for (int i = 0; i < axis.size; ++i)
            sums[static_cast<std::size_t>(span.first + i)] +=
                span.weights.empty() ? 1 : span.weights[static_cast<std::size_t>(i)];
          last = span.kept_last;
        }
        EXPECT_EQ(last, extent);
        for (const float sum : sums) EXPECT_NEAR(sum, 1, 1e-5F);
      }
    }
  }
  tests::expect_error(
      ErrorKind::usage, [] { static_cast<void>(overlap_axis(100, 16, 15, 0.5)); }, "15", "16");
}

}  // namespace
}  // namespace plume::unet

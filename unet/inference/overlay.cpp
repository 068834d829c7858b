// Colour or grey, tint and outline.
#include "unet/inference/overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace plume::unet {
namespace {

using Color = std::array<float, 3>;  // 0..1

// Okabe and Ito's colours, which people with any colour vision tell apart; the first is for smoke.
constexpr std::array<Color, 6> tints{{{0.90F, 0.35F, 0.05F},
                                      {0.34F, 0.71F, 0.91F},
                                      {0.94F, 0.89F, 0.26F},
                                      {0.00F, 0.62F, 0.45F},
                                      {0.80F, 0.47F, 0.65F},
                                      {0.00F, 0.45F, 0.70F}}};
constexpr float strongest_tint = 0.55F;

// Which bands of an image are C01, C02 and C03; all the first where one of them is not there.
struct ColorBands {
  std::size_t blue = 0;
  std::size_t red = 0;
  std::size_t veggie = 0;
};

ColorBands color_bands(int count, std::span<const int> bands) {
  if (bands.empty()) return count < 3 ? ColorBands{} : ColorBands{0, 1, 2};
  const auto place = [&](int channel) {
    return static_cast<std::size_t>(std::find(bands.begin(), bands.end(), channel) - bands.begin());
  };
  const ColorBands found{place(0), place(1), place(2)};
  return std::max({found.blue, found.red, found.veggie}) < bands.size() ? found : ColorBands{};
}

Color color_of(const float* pixel, const ColorBands& bands) {
  const float blue = pixel[bands.blue];
  const float red = pixel[bands.red];
  return {red, 0.45F * red + 0.1F * pixel[bands.veggie] + 0.45F * blue, blue};
}

// Of larger images, so many pixels are enough.
constexpr std::size_t most_sampled = std::size_t{1} << 22;

// Brightnesses of an image's measured pixels, or evenly spaced ones of them.
class Sample {
 public:
  Sample(data::ImageShape shape, std::span<const int> bands)
      : bands_(color_bands(shape.channels, bands)),
        step_((static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width) - 1) / most_sampled + 1) {
  }

  void add(const data::Raster& rows) {
    const auto pixels = static_cast<std::size_t>(rows.height) * static_cast<std::size_t>(rows.width);
    for (; next_ < before_ + pixels; next_ += step_) {
      const std::size_t pixel = next_ - before_;
      if (!rows.valid.empty() && rows.valid[pixel] == 0) continue;
      const Color color = color_of(rows.pixels.data() + pixel * static_cast<std::size_t>(rows.bands), bands_);
      values_.insert(values_.end(), color.begin(), color.end());
    }
    before_ += pixels;
  }

  // Between the values below which 1 % and 99 % lie.
  Stretch stretch() {
    if (values_.empty()) return {};
    const auto percentile = [&](double share) {
      const auto place = values_.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values_.size() - 1));
      std::nth_element(values_.begin(), place, values_.end());
      return *place;
    };
    const float low = percentile(0.01);
    const float high = percentile(0.99);
    return {low, high > low ? high : low + 1};
  }

 private:
  ColorBands bands_;
  std::size_t step_;
  std::size_t before_ = 0;  // pixels of rows that have been
  std::size_t next_ = 0;
  std::vector<float> values_;
};

// Whether a pixel of a class has a neighbour of another, where there is one.
bool is_outline(const OverlayRow& row, std::size_t x) {
  const std::uint8_t mine = row.classes[x];
  const auto other = [&](std::span<const std::uint8_t> classes, std::size_t at) {
    return at < classes.size() && classes[at] != mine;  // one before the first is beyond the last
  };
  return other(row.above, x) || other(row.below, x) || other(row.classes, x - 1) || other(row.classes, x + 1);
}

}  // namespace

Stretch stretch_of(const data::Raster& image, std::span<const int> bands) {
  Sample sample({image.height, image.width, image.bands}, bands);
  sample.add(image);
  return sample.stretch();
}

Stretch stretch_of(data::ImageRows& image, std::span<const int> bands) {
  constexpr int rows_together = 256;
  Sample sample(image.shape(), bands);
  for (int row = 0; row < image.shape().height; row += rows_together)
    sample.add(image.read(row, std::min(row + rows_together, image.shape().height)));
  return sample.stretch();
}

void paint_overlay(const OverlayRow& row, int image_bands, std::span<const int> bands, Stretch stretch,
                   std::uint8_t* picture) {
  const ColorBands color = color_bands(image_bands, bands);
  for (std::size_t x = 0; x < row.classes.size(); ++x) {
    const std::uint8_t mine = row.classes[x];
    const Color& tint = tints[static_cast<std::size_t>(mine == 0 ? 0 : mine - 1) % tints.size()];
    const float strength = mine == 0 ? 0.0F : is_outline(row, x) ? 1.0F : strongest_tint * row.probability[x];
    const Color seen = color_of(row.pixels + x * static_cast<std::size_t>(image_bands), color);
    for (std::size_t c = 0; c < seen.size(); ++c) {
      const float value = std::clamp((seen[c] - stretch.low) / (stretch.high - stretch.low), 0.0F, 1.0F);
      *picture++ = static_cast<std::uint8_t>(std::lround(255 * (value + strength * (tint[c] - value))));
    }
  }
}

std::vector<std::uint8_t> draw_overlay(const data::Raster& image, std::span<const std::uint8_t> classes,
                                       std::span<const float> probability, std::span<const int> bands) {
  const Stretch stretch = stretch_of(image, bands);
  const auto width = static_cast<std::size_t>(image.width);
  std::vector<std::uint8_t> picture(classes.size() * 3);
  for (std::size_t first = 0; first < classes.size(); first += width) {
    const auto row_from = [&](std::size_t place) {
      return place < classes.size() ? classes.subspan(place, width) : std::span<const std::uint8_t>();
    };
    const OverlayRow row{image.pixels.data() + first * static_cast<std::size_t>(image.bands), row_from(first - width),
                         row_from(first), row_from(first + width), probability.subspan(first, width)};
    paint_overlay(row, image.bands, bands, stretch, picture.data() + first * 3);
  }
  return picture;
}

}  // namespace plume::unet

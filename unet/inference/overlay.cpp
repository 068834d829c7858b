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

// The values below which 1 % and 99 % of all measured ones lie.
std::pair<float, float> stretch_of(const std::vector<Color>& colors, const std::vector<std::uint8_t>& valid) {
  std::vector<float> values;
  values.reserve(colors.size() * 3);
  for (std::size_t p = 0; p < colors.size(); ++p) {
    if (valid.empty() || valid[p] != 0) values.insert(values.end(), colors[p].begin(), colors[p].end());
  }
  if (values.empty()) return {0, 1};
  const auto percentile = [&](double share) {
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
  };
  const float low = percentile(0.01);
  const float high = percentile(0.99);
  return {low, high > low ? high : low + 1};
}

class Canvas {
 public:
  Canvas(int height, int width, std::span<const std::uint8_t> classes)
      : height_(height), width_(width), classes_(classes) {}

  // A pixel of a class with a neighbour of another.
  [[nodiscard]] bool outline(int row, int column) const {
    const std::uint8_t mine = at(row, column);
    if (mine == 0) return false;
    for (const auto& [dy, dx] : {std::pair{-1, 0}, {1, 0}, {0, -1}, {0, 1}}) {
      const int y = row + dy;
      const int x = column + dx;
      if (y >= 0 && x >= 0 && y < height_ && x < width_ && at(y, x) != mine) return true;
    }
    return false;
  }
  [[nodiscard]] std::uint8_t at(int row, int column) const {
    return classes_[static_cast<std::size_t>(row) * static_cast<std::size_t>(width_) +
                    static_cast<std::size_t>(column)];
  }

 private:
  int height_;
  int width_;
  std::span<const std::uint8_t> classes_;
};

}  // namespace

std::vector<std::uint8_t> draw_overlay(const data::Raster& image, std::span<const std::uint8_t> classes,
                                       std::span<const float> probability, std::span<const int> bands) {
  const ColorBands color = color_bands(image.bands, bands);
  const auto pixels = static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width);
  std::vector<Color> colors(pixels);
  for (std::size_t p = 0; p < pixels; ++p) {
    colors[p] = color_of(image.pixels.data() + p * static_cast<std::size_t>(image.bands), color);
  }
  const auto [low, high] = stretch_of(colors, image.valid);
  const Canvas canvas(image.height, image.width, classes);

  std::vector<std::uint8_t> picture(pixels * 3);
  for (std::size_t p = 0; p < pixels; ++p) {
    const int row = static_cast<int>(p / static_cast<std::size_t>(image.width));
    const int column = static_cast<int>(p % static_cast<std::size_t>(image.width));
    const Color& tint = tints[static_cast<std::size_t>(classes[p] == 0 ? 0 : classes[p] - 1) % tints.size()];
    const float strength =
        classes[p] == 0 ? 0.0F : (canvas.outline(row, column) ? 1.0F : strongest_tint * probability[p]);
    for (std::size_t c = 0; c < 3; ++c) {
      const float value = std::clamp((colors[p][c] - low) / (high - low), 0.0F, 1.0F);
      const float mixed = value + strength * (tint[c] - value);
      picture[p * 3 + c] = static_cast<std::uint8_t>(std::lround(255 * mixed));
    }
  }
  return picture;
}

}  // namespace plume::unet

// Every strength is drawn for every image, whether it is used or not, so that one setting does not change what another
// draws.
#include "data/loading/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/loading/sampling.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/philox.hpp"

namespace plume::data {
namespace {

// Keep the draws of one seed apart, from those of sampling too.
constexpr std::uint32_t augment_purpose = 0x61756700;
constexpr std::uint32_t elastic_purpose = 0x656C6100;

// Of homogeneous coordinates: (row, column) = rows (y, x, 1).
struct Map {
  double rows[2][3] = {{1, 0, 0}, {0, 1, 0}};
};

// First `first`, then `second`.
Map compose(const Map& second, const Map& first) {
  Map result;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      result.rows[i][j] = second.rows[i][0] * first.rows[0][j] + second.rows[i][1] * first.rows[1][j];
    }
    result.rows[i][2] += second.rows[i][2];
  }
  return result;
}

Map translation(double rows, double columns) {
  return {{{1, 0, rows}, {0, 1, columns}}};
}

double radians(double degrees) {
  return degrees * std::numbers::pi / 180;
}

// A rectangle's height or width, and where it starts.
struct Span {
  int start;
  int size;
};

class Draw {
 public:
  Draw(std::uint64_t seed, std::uint32_t purpose, const Sample& sample)
      : philox_(seed, purpose + static_cast<std::uint32_t>(sample.step >> 32U), static_cast<std::uint32_t>(sample.step),
                static_cast<std::uint32_t>(sample.slot)) {}

  [[nodiscard]] double up_to(double most) { return most * static_cast<double>(philox_.uniform()); }
  [[nodiscard]] double either_way(double most) { return up_to(2 * most) - most; }
  [[nodiscard]] bool happens(double probability) { return up_to(1) < probability; }
  [[nodiscard]] int below(int bound) { return static_cast<int>(up_to(bound)); }
  [[nodiscard]] Span span(double most, int extent) {
    const auto size = static_cast<int>(std::lround(up_to(most) * extent));
    return {below(extent - size + 1), size};
  }
  [[nodiscard]] std::uint64_t key() { return std::uint64_t{philox_.next()} << 32U | philox_.next(); }

 private:
  Philox philox_;
};

// The inverse of: shear, rotate, scale, shift, about the centre of height x width pixels.
Map drawn_inverse(const AugmentSettings& settings, Draw& draw, int height, int width) {
  const double factor = std::pow(1 + settings.scale, draw.either_way(1));
  const double angle = radians(draw.either_way(settings.angle));
  const double shear = std::tan(radians(draw.either_way(settings.shear)));
  const double down = draw.either_way(settings.shift) * height;
  const double right = draw.either_way(settings.shift) * width;
  const double cosine = std::cos(angle) / factor;
  const double sine = std::sin(angle) / factor;
  const Map turn_back{{{cosine, sine, 0}, {-sine, cosine, 0}}};
  const Map shear_back{{{1, 0, 0}, {-shear, 1, 0}}};
  const double middle_row = (height - 1) / 2.0;
  const double middle_column = (width - 1) / 2.0;
  const Map linear = compose(shear_back, turn_back);
  return compose(translation(middle_row, middle_column),
                 compose(linear, translation(-middle_row - down, -middle_column - right)));
}

// From the image, mirrored and turned as its sample says, to what was read of its tile.
Map orientation(const Sample& sample) {
  const Window& window = sample.window;
  const Map mirrored{{{sample.flip_rows ? -1.0 : 1.0, 0, sample.flip_rows ? window.height - 1.0 : 0},
                      {0, sample.flip_columns ? -1.0 : 1.0, sample.flip_columns ? window.width - 1.0 : 0}}};
  const Map transposed{{{0, 1, 0}, {1, 0, 0}}};
  return compose(translation(window.row - sample.read.row, window.column - sample.read.column),
                 sample.transpose ? compose(transposed, mirrored) : mirrored);
}

void store(const Map& map, kernels::Augmentation& to) {
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) to.inverse_map[i][j] = static_cast<float>(map.rows[i][j]);
  }
}

void draw_bands(const AugmentSettings& settings, Draw& draw, std::vector<kernels::BandChange>& bands, int count) {
  const double noise = draw.up_to(settings.noise);
  const int kept = draw.below(count);
  for (int band = 0; band < count; ++band) {
    const double contrast = 1 + draw.either_way(settings.contrast);
    const double brightness = draw.either_way(settings.brightness);
    const bool dropped = draw.happens(settings.drop_bands);
    kernels::BandChange change{static_cast<float>(contrast), static_cast<float>(brightness), static_cast<float>(noise)};
    bands.push_back(dropped && band != kept ? kernels::BandChange{0, 0, 0} : change);
  }
}

// One image's nodes; all at rest where its image is not changed.
void draw_nodes(const AugmentSettings& settings, std::uint64_t seed, const Sample& sample, bool changed,
                std::vector<kernels::PixelPosition>& nodes) {
  Draw draw(seed, elastic_purpose, sample);
  const double strength = changed ? draw.up_to(settings.elastic) : 0;
  const int edge = settings.elastic_cells + 3;
  for (int node = 0; node < edge * edge; ++node) {
    const double down = draw.either_way(strength);
    const double right = draw.either_way(strength);
    nodes.push_back({static_cast<float>(down), static_cast<float>(right)});
  }
}

}  // namespace

bool changes_images(const AugmentSettings& settings) {
  AugmentSettings nothing;
  nothing.share = settings.share;
  nothing.mosaic = settings.mosaic;
  nothing.elastic_cells = settings.elastic_cells;
  return settings.share > 0 && settings != nothing;
}

void check(const AugmentSettings& settings) {
  const auto require = [](const char* name, double value, double least, double most) {
    if (!(value >= least && value <= most))
      throw usage_error("augment.{} = {}: a number from {} to {} is wanted", name, value, least, most);
  };
  for (const AugmentStrength& strength : augment_strengths)
    require(strength.name, settings.*strength.value, strength.least, strength.most);
  require("elastic_cells", settings.elastic_cells, 1, most_elastic_cells);
}

int reach(const AugmentSettings& settings, int crop) {
  const bool moves =
      settings.scale > 0 || settings.shift > 0 || settings.angle > 0 || settings.shear > 0 || settings.elastic > 0;
  if (!moves || settings.share == 0) return 0;
  const double half = (crop - 1) / 2.0;
  const double before = half + settings.elastic + settings.shift * crop;
  const double angle = radians(std::min(settings.angle, 45.0));  // where a square's corners reach farthest
  const double turned = before * (std::cos(angle) + std::sin(angle)) * (1 + settings.scale);
  const double sheared = turned * (1 + std::tan(radians(settings.shear)));
  return static_cast<int>(std::floor(sheared - half)) + 1;
}

DrawnAugmentation draw_augmentation(const AugmentSettings& settings, std::uint64_t seed,
                                    const std::vector<Sample>& samples, int bands) {
  DrawnAugmentation drawn;
  if (!changes_images(settings)) return drawn;
  drawn.cells = settings.elastic > 0 ? settings.elastic_cells : 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Sample& sample = samples[i];
    Draw draw(seed, augment_purpose, sample);
    const bool changed = draw.happens(settings.share);
    kernels::Augmentation image;
    image.tile = static_cast<int>(i);
    image.height = sample.window.height;
    image.width = sample.window.width;
    if (changed) {
      store(compose(orientation(sample), drawn_inverse(settings, draw, sample.window.height, sample.window.width)),
            image);
      const Span rows = draw.span(settings.cut_out, sample.window.height);
      const Span columns = draw.span(settings.cut_out, sample.window.width);
      image.hole_row = rows.start;
      image.hole_height = rows.size;
      image.hole_column = columns.start;
      image.hole_width = columns.size;
      image.noise_key = draw.key();
      draw_bands(settings, draw, drawn.bands, bands);
    } else {
      store(orientation(sample), image);
      drawn.bands.insert(drawn.bands.end(), static_cast<std::size_t>(bands), kernels::BandChange{});
    }
    drawn.images.push_back(image);
    if (drawn.cells > 0) draw_nodes(settings, seed, sample, changed, drawn.nodes);
  }
  return drawn;
}

}  // namespace plume::data

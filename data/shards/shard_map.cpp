// Thumbnails on a canvas.
#include "data/shards/shard_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "data/images/png.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

constexpr int most_pixels = 2048;  // of a side
constexpr int widest_tile = 128;   // thumbnails are no larger

using Colour = std::array<std::uint8_t, 3>;

struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

// In tiles' own units, y downwards.
std::vector<Box> places_on_earth(const ShardInfo& info) {
  std::vector<Box> places;
  for (const auto& georeference : info.georeference) {
    const auto& t = georeference.transform;
    const double width = std::abs(t[1]) * info.width;
    const double height = std::abs(t[5]) * info.height;
    const double left = std::min(t[0], t[0] + t[1] * info.width);
    const double top = -std::max(t[3], t[3] + t[5] * info.height);
    places.push_back({left, top, left + width, top + height});
  }
  return places;
}

std::vector<Box> places_side_by_side(const ShardInfo& info) {
  const int columns = std::max(1, static_cast<int>(std::ceil(std::sqrt(info.tiles))));
  const double height = static_cast<double>(info.height) / info.width;
  std::vector<Box> places;
  for (int tile = 0; tile < info.tiles; ++tile) {
    const int row = tile / columns;
    const double left = tile % columns;
    places.push_back({left, row * height, left + 1, (row + 1) * height});
  }
  return places;
}

bool share_a_plane(const ShardInfo& info) {
  const auto& projection = info.georeference[0].projection;
  return std::all_of(info.georeference.begin(), info.georeference.end(), [&](const Georeference& georeference) {
    return georeference.present() && georeference.projection == projection && georeference.transform[1] != 0 &&
           georeference.transform[5] != 0;
  });
}

class Map {
 public:
  explicit Map(const Shard& shard) : shard_(shard), info_(shard.info()) {
    places_ = share_a_plane(info_) ? places_on_earth(info_) : places_side_by_side(info_);
    whole_ = places_[0];
    for (const auto& place : places_) {
      whole_ = {std::min(whole_.left, place.left), std::min(whole_.top, place.top), std::max(whole_.right, place.right),
                std::max(whole_.bottom, place.bottom)};
    }
    const double side = std::max(whole_.right - whole_.left, whole_.bottom - whole_.top);
    scale_ = std::min(most_pixels / side, widest_tile / (places_[0].right - places_[0].left));
    width_ = std::max(1, static_cast<int>(std::lround((whole_.right - whole_.left) * scale_)));
    height_ = std::max(1, static_cast<int>(std::lround((whole_.bottom - whole_.top) * scale_)));
    pixels_.assign(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) * 3, 0);
  }

  void draw() {
    find_brightness();
    for (int tile = 0; tile < info_.tiles; ++tile) draw_tile(tile);
  }

  void write(const std::filesystem::path& path) const { write_png(path, {height_, width_, 3}, pixels_); }

 private:
  // Grey goes from the least to the greatest value of the first band among measured pixels.
  void find_brightness() {
    std::vector<float> values(shard_.labels(0).size() * static_cast<std::size_t>(info_.bands));
    for (int tile = 0; tile < info_.tiles; ++tile) {
      shard_.read(tile, {}, {}, values.data());
      for (std::size_t pixel = 0; pixel < shard_.labels(tile).size(); ++pixel) {
        if (shard_.labels(tile)[pixel] == kernels::ignore_label) continue;
        const float value = values[pixel * static_cast<std::size_t>(info_.bands)];
        least_ = std::min(least_, value);
        most_ = std::max(most_, value);
      }
    }
  }

  void draw_tile(int tile) {
    constexpr std::array<Colour, 3> frames{{{70, 130, 255}, {255, 210, 0}, {60, 200, 90}}};
    const auto& frame = frames[static_cast<std::size_t>(info_.split[static_cast<std::size_t>(tile)])];
    const auto& place = places_[static_cast<std::size_t>(tile)];
    const auto at = [&](double units) { return static_cast<int>(std::lround(units * scale_)); };
    const int left = std::min(at(place.left - whole_.left), width_ - 1);
    const int top = std::min(at(place.top - whole_.top), height_ - 1);
    const int right = std::clamp(at(place.right - whole_.left), left + 1, width_);
    const int bottom = std::clamp(at(place.bottom - whole_.top), top + 1, height_);
    std::vector<float> values(shard_.labels(tile).size() * static_cast<std::size_t>(info_.bands));
    shard_.read(tile, {}, {}, values.data());
    for (int y = top; y < bottom; ++y) {
      const int row = (y - top) * info_.height / (bottom - top);
      for (int x = left; x < right; ++x) {
        const int column = (x - left) * info_.width / (right - left);
        const auto pixel =
            static_cast<std::size_t>(row) * static_cast<std::size_t>(info_.width) + static_cast<std::size_t>(column);
        const bool edge = y == top || x == left || y == bottom - 1 || x == right - 1;
        put(x, y,
            edge ? frame : colour(values[pixel * static_cast<std::size_t>(info_.bands)], shard_.labels(tile)[pixel]));
      }
    }
  }

  [[nodiscard]] Colour colour(float value, std::uint8_t label) const {
    const float place = most_ > least_ ? std::clamp((value - least_) / (most_ - least_), 0.0F, 1.0F) : 0.0F;
    const auto grey = static_cast<std::uint8_t>(255 * place);
    const auto half = static_cast<std::uint8_t>(grey / 2);
    if (label == kernels::ignore_label) return {half, half, half};
    if (label > 0) return {static_cast<std::uint8_t>(127 + half), half, half};
    return {grey, grey, grey};
  }

  void put(int x, int y, const Colour& colour) {
    std::copy(colour.begin(), colour.end(), pixels_.begin() + (static_cast<std::ptrdiff_t>(y) * width_ + x) * 3);
  }

  const Shard& shard_;
  const ShardInfo& info_;
  std::vector<Box> places_;
  Box whole_;
  double scale_ = 1;  // pixels of the picture per unit
  int width_ = 0;
  int height_ = 0;
  float least_ = std::numeric_limits<float>::infinity();
  float most_ = -std::numeric_limits<float>::infinity();
  std::vector<std::uint8_t> pixels_;  // [height, width, 3]
};

}  // namespace

void write_shard_map(const Shard& shard, const std::filesystem::path& path) {
  Map map(shard);
  map.draw();
  map.write(path);
}

}  // namespace plume::data

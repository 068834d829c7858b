// Every draw is Philox or a Permutation keyed by (seed, epoch or cycle, global batch, slot); there is no state.
#include "data/loading/sampling.hpp"

#include <algorithm>
#include <cmath>

#include "data/loading/tile_order.hpp"
#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

// Purposes keep the draws of one seed apart.
constexpr std::uint32_t order_purpose = 0x01;
constexpr std::uint32_t class_purpose = 0x02;
constexpr std::uint32_t crop_purpose = 0x63726F70;
constexpr std::uint32_t mosaic_purpose = 0x6D6F7300;

void check(const Shard& shard, const Sampling& sampling) {
  const auto& info = shard.info();
  if (sampling.batch < 1) throw usage_error("a batch of {} images: it takes at least 1", sampling.batch);
  if (sampling.world < 1 || sampling.rank < 0 || sampling.rank >= sampling.world)
    throw usage_error("rank {} of {} ranks does not exist", sampling.rank, sampling.world);
  if (!(sampling.class_share >= 0 && sampling.class_share <= 1))
    throw usage_error("class_share {} is not between 0 and 1", sampling.class_share);
  if (sampling.crop < 0 || sampling.crop > std::min(info.height, info.width))
    throw usage_error("crops of {} pixels do not fit tiles of {}x{}", sampling.crop, info.height, info.width);
  if (sampling.shuffle_window < 0)
    throw usage_error("a shuffle_window of {} tiles: it takes at least 1, or 0 for all", sampling.shuffle_window);
  check(sampling.augment);
  if (sampling.rotate && sampling.crop == 0 && info.height != info.width)
    throw usage_error("tiles of {}x{} cannot be turned by quarters; set a crop", info.height, info.width);
}

// The n-th of an endless row of shuffled cycles over `tiles`.
int cycled(const std::vector<int>& tiles, const Sampling& sampling, std::uint32_t purpose, std::uint64_t n) {
  const auto size = static_cast<std::uint32_t>(tiles.size());
  const TileOrder order(sampling.seed, purpose, n / size, size, static_cast<std::uint32_t>(sampling.shuffle_window));
  return tiles[order(static_cast<std::uint32_t>(n % size))];
}

bool is_class(std::uint8_t label) {
  return label != 0 && label != kernels::ignore_label;
}

// A random pixel of a class, as an index into the tile; none where the tile holds no class.
std::int64_t draw_class_pixel(std::span<const std::uint8_t> labels, Philox& draw) {
  const auto count = std::count_if(labels.begin(), labels.end(), is_class);
  if (count == 0) return -1;
  auto wanted = draw.below(static_cast<std::uint32_t>(count));
  const auto found =
      std::find_if(labels.begin(), labels.end(), [&](std::uint8_t label) { return is_class(label) && wanted-- == 0; });
  return found - labels.begin();
}

// A start of `crop` pixels within `extent`, uniform among all, or among those that cover `pixel` (>= 0).
int draw_start(int extent, int crop, int pixel, Philox& draw) {
  const int first = pixel < 0 ? 0 : std::max(0, pixel - crop + 1);
  const int last = pixel < 0 ? extent - crop : std::min(pixel, extent - crop);
  return first + static_cast<int>(draw.below(static_cast<std::uint32_t>(last - first + 1)));
}

void draw_orientation(const Sampling& sampling, Philox& draw, Sample& sample) {
  const auto bits = draw.next();
  const bool first = (bits & 1U) != 0;
  const bool second = (bits & 2U) != 0;
  sample.transpose = sampling.rotate && (bits & 4U) != 0;
  if (sampling.flip) {
    sample.flip_rows = first;
    sample.flip_columns = second;
  } else if (sampling.rotate) {
    // Turns alone: a transpose takes exactly one mirror with it, its absence none or both.
    sample.flip_rows = first;
    sample.flip_columns = sample.transpose ? !first : first;
  }
}

}  // namespace

Sampler::Sampler(const Shard& shard, const Sampling& sampling) : shard_(&shard), sampling_(sampling) {
  check(shard, sampling);
  const auto& info = shard.info();
  margin_ = sampling.crop > 0 ? reach(sampling.augment, sampling.crop) : 0;
  read_height_ = sampling.crop > 0 ? std::min(info.height, sampling.crop + 2 * margin_) : info.height;
  read_width_ = sampling.crop > 0 ? std::min(info.width, sampling.crop + 2 * margin_) : info.width;
  const auto tiles = shard.tiles(sampling.split);
  tiles_.assign(tiles.begin(), tiles.end());
  if (tiles_.empty())
    throw input_error("{} holds no tile of the split {}", shard.path().string(), name_of(sampling.split));
  steps_ = (static_cast<std::int64_t>(tiles_.size()) + sampling.batch - 1) / sampling.batch;
  if (sampling.class_share <= 0) return;
  class_slots_ = std::max(1, static_cast<int>(std::lround(sampling.class_share * static_cast<float>(sampling.batch))));
  std::copy_if(tiles_.begin(), tiles_.end(), std::back_inserter(positive_), [&](int tile) {
    return shard.foreground_fraction(tile) >= sampling.class_threshold && shard.foreground_fraction(tile) > 0;
  });
  if (positive_.empty())
    throw input_error(
        "{}: no tile of the split {} holds a class in {} of its pixels; lower class_threshold or "
        "set class_share to 0",
        shard.path().string(), name_of(sampling.split), sampling.class_threshold);
}

int Sampler::images(std::int64_t batch) const {
  if (sampling_.class_share > 0) return sampling_.batch;
  return static_cast<int>(
      std::min<std::int64_t>(sampling_.batch, static_cast<std::int64_t>(tiles_.size()) - batch * sampling_.batch));
}

std::vector<Sample> Sampler::samples(std::int64_t epoch, std::int64_t batch) const {
  const std::int64_t images = this->images(batch);
  const auto first = images * sampling_.rank / sampling_.world;
  const auto last = images * (sampling_.rank + 1) / sampling_.world;
  std::vector<Sample> samples;
  for (auto slot = first; slot < last; ++slot) samples.push_back(sample(epoch, batch, static_cast<int>(slot)));
  return samples;
}

int Sampler::tile_at(std::int64_t epoch, std::int64_t batch, int slot) const {
  const auto step = static_cast<std::uint64_t>(epoch * steps_ + batch);
  const auto slots = static_cast<std::uint64_t>(sampling_.batch);
  const auto classes = static_cast<std::uint64_t>(class_slots_);
  const auto place = static_cast<std::uint64_t>(slot);
  // Slots past the last are a mosaic's partners; where every slot is a class slot, theirs are the next in that order.
  if (slot < class_slots_ || class_slots_ == sampling_.batch)
    return cycled(positive_, sampling_, class_purpose, step * classes + place);
  // Whole epochs: the cycle is the epoch. With class slots the other slots run on from cycle to cycle.
  const auto n = sampling_.class_share <= 0 ? static_cast<std::uint64_t>(epoch) * tiles_.size() +
                                                  static_cast<std::uint64_t>(batch) * slots + place
                                            : step * (slots - classes) + place - classes;
  return sampling_.shuffle ? cycled(tiles_, sampling_, order_purpose, n) : tiles_[n % tiles_.size()];
}

Sample Sampler::sample(std::int64_t epoch, std::int64_t batch, int slot) const {
  const auto& info = shard_->info();
  Sample sample;
  sample.tile = tile_at(epoch, batch, slot);
  sample.window = {0, 0, info.height, info.width};
  sample.step = epoch * steps_ + batch;
  sample.slot = slot;
  const auto step = static_cast<std::uint64_t>(sample.step);
  Philox draw(sampling_.seed, crop_purpose + static_cast<std::uint32_t>(step >> 32), static_cast<std::uint32_t>(step),
              static_cast<std::uint32_t>(slot));
  draw_orientation(sampling_, draw, sample);
  if (sampling_.crop > 0) {
    const auto pixel = slot < class_slots_ ? draw_class_pixel(shard_->labels(sample.tile), draw) : -1;
    const int row = pixel < 0 ? -1 : static_cast<int>(pixel / info.width);
    const int column = pixel < 0 ? -1 : static_cast<int>(pixel % info.width);
    sample.window.row = draw_start(info.height, sampling_.crop, row, draw);
    sample.window.column = draw_start(info.width, sampling_.crop, column, draw);
    sample.window.height = sampling_.crop;
    sample.window.width = sampling_.crop;
  }
  sample.read = {std::clamp(sample.window.row - margin_, 0, info.height - read_height_),
                 std::clamp(sample.window.column - margin_, 0, info.width - read_width_), read_height_, read_width_};
  Philox draw_mosaic(sampling_.seed, mosaic_purpose + static_cast<std::uint32_t>(step >> 32),
                     static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(slot));
  if (static_cast<double>(draw_mosaic.uniform()) < sampling_.augment.mosaic)
    sample.mosaic = mosaic(sample, draw_mosaic, epoch, batch);
  return sample;
}

Mosaic Sampler::mosaic(const Sample& sample, Philox& draw, std::int64_t epoch, std::int64_t batch) const {
  const auto meet = [&](int start, int size) {
    return start + size / 4 + static_cast<int>(draw.below(static_cast<std::uint32_t>(size / 2 + 1)));
  };
  Mosaic mosaic;
  mosaic.row = meet(sample.window.row - sample.read.row, sample.window.height);
  mosaic.column = meet(sample.window.column - sample.read.column, sample.window.width);
  const auto own = draw.below(4);
  for (unsigned i = 0; i < 4; ++i)
    mosaic.tiles[(own + i) % 4] = i == 0 ? sample.tile : tile_at(epoch, batch, sample.slot + static_cast<int>(i));
  return mosaic;
}

}  // namespace plume::data

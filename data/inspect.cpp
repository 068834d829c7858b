// One pass for ranges and labels, one for histograms.
#include "data/inspect.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "kernels/loss.hpp"

namespace plume::data {
namespace {

std::vector<std::string> distinct(const std::vector<std::string>& names) {
  const std::set<std::string> sorted(names.begin(), names.end());
  return {sorted.begin(), sorted.end()};
}

class Summary {
 public:
  explicit Summary(const Shard& shard)
      : shard_(shard), info_(shard.info()), labels_(info_.classes == 1 ? 2 : static_cast<std::size_t>(info_.classes)) {}

  ShardSummary make() {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    result_.band.assign(static_cast<std::size_t>(info_.bands), {infinity, -infinity, {}});
    for (auto& split : result_.split) split.class_share.resize(labels_);
    for (int tile = 0; tile < info_.tiles; ++tile) count_labels(tile);
    for (auto& split : result_.split) {
      for (auto& share : split.class_share) share /= static_cast<double>(std::max<std::int64_t>(1, split.pixels));
    }
    each_value([](BandSummary& band, float value) {
      band.least = std::min(band.least, value);
      band.most = std::max(band.most, value);
    });
    for (auto& band : result_.band) {
      if (band.least > band.most) band.least = band.most = 0;
    }
    each_value([](BandSummary& band, float value) {
      const float place = band.most > band.least ? (value - band.least) / (band.most - band.least) : 0;
      ++band.count[std::min<std::size_t>(static_cast<std::size_t>(place * histogram_bins), histogram_bins - 1)];
    });
    result_.image_sources = distinct(info_.tile_file);
    result_.label_sources = distinct(info_.mask_file);
    return std::move(result_);
  }

 private:
  void count_labels(int tile) {
    std::vector<std::uint8_t> labels(shard_.labels(tile).size());
    shard_.read_labels(tile, {0, 0, info_.height, info_.width}, labels.data());
    std::array<std::int64_t, 256> count{};
    for (const auto label : labels) ++count[label];
    auto& split = result_.split[static_cast<std::size_t>(info_.split[static_cast<std::size_t>(tile)])];
    const auto known = static_cast<std::int64_t>(labels.size()) - count[kernels::ignore_label];
    ++split.tiles;
    split.positive_tiles += known > count[0] ? 1 : 0;
    split.pixels += known;
    split.ignored += count[kernels::ignore_label];
    for (std::size_t label = 0; label < labels_; ++label) split.class_share[label] += static_cast<double>(count[label]);
  }

  template <class Visit>
  void each_value(Visit&& visit) {
    const auto bands = static_cast<std::size_t>(info_.bands);
    std::vector<float> values(shard_.labels(0).size() * bands);
    for (int tile = 0; tile < info_.tiles; ++tile) {
      const auto labels = shard_.labels(tile);
      shard_.read(tile, {}, {}, values.data());
      for (std::size_t pixel = 0; pixel < labels.size(); ++pixel) {
        if (labels[pixel] == kernels::ignore_label) continue;
        for (std::size_t band = 0; band < bands; ++band) visit(result_.band[band], values[pixel * bands + band]);
      }
    }
  }

  const Shard& shard_;
  const ShardInfo& info_;
  std::size_t labels_;
  ShardSummary result_;
};

}  // namespace

ShardSummary summarise(const Shard& shard) {
  return Summary(shard).make();
}

}  // namespace plume::data

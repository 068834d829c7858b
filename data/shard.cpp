// The mapping of a shard's two big datasets, and reads from it.
#include "data/shard.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "data/shard_info.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/mapped_file.hpp"
#include "kernels/loss.hpp"

namespace plume::data {

struct Shard::Mapping {
  std::filesystem::path path;
  ShardLayout layout;
  std::array<std::vector<int>, 3> tiles;  // by split
  MappedFile file;

  explicit Mapping(const std::filesystem::path& name) : path(name), layout(read_shard_layout(name)), file(name) {}
};

namespace {

// One row of a window: (raw - mean) / std, band by band. The bytes need not be aligned.
template <class T>
bool normalise(const std::byte* raw, std::size_t pixels, std::size_t bands, const float* mean, const float* std,
               float* out) {
  bool finite = true;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::size_t band = 0; band < bands; ++band) {
      T value;
      std::memcpy(&value, raw, sizeof(T));
      raw += sizeof(T);
      const auto measured = static_cast<float>(value);
      if constexpr (std::is_floating_point_v<T>) finite = finite && std::isfinite(measured);
      *out++ = (measured - mean[band]) / std[band];
    }
  }
  return finite;
}

bool all_finite(const std::byte* raw, std::size_t count) {
  bool finite = true;
  for (std::size_t i = 0; i < count; ++i, raw += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, raw, sizeof(float));
    finite = finite && std::isfinite(value);
  }
  return finite;
}

}  // namespace

BandNormalisation normalisation_of_raw(const ShardInfo& info, std::span<const float> mean, std::span<const float> std) {
  BandNormalisation raw;
  for (std::size_t band = 0; band < static_cast<std::size_t>(info.bands); ++band) {
    raw.mean.push_back(((mean.empty() ? 0 : mean[band]) - info.offset[band]) / info.scale[band]);
    raw.std.push_back((std.empty() ? 1 : std[band]) / info.scale[band]);
  }
  return raw;
}

Shard::Shard(const std::filesystem::path& path) : mapping_(std::make_unique<Mapping>(path)) {
  auto& mapping = *mapping_;
  // The layout was read through another open file.
  if (mapping.file.bytes().size() < mapping.layout.file_bytes)
    throw input_error("{} was shortened while it was opened", path.string());
  const auto& info = mapping.layout.info;
  for (int tile = 0; tile < info.tiles; ++tile)
    mapping.tiles[static_cast<std::size_t>(info.split[static_cast<std::size_t>(tile)])].push_back(tile);
}

Shard::~Shard() = default;
Shard::Shard(Shard&&) noexcept = default;
Shard& Shard::operator=(Shard&&) noexcept = default;

const std::filesystem::path& Shard::path() const noexcept {
  return mapping_->path;
}

const ShardInfo& Shard::info() const noexcept {
  return mapping_->layout.info;
}

std::span<const int> Shard::tiles(Split split) const noexcept {
  return mapping_->tiles[static_cast<std::size_t>(split)];
}

float Shard::foreground_fraction(int tile) const noexcept {
  const auto classes = static_cast<std::size_t>(info().classes);
  const float* fractions = info().positive_fraction.data() + static_cast<std::size_t>(tile) * classes;
  if (classes == 1) return fractions[0];
  float sum = 0;
  for (std::size_t label = 1; label < classes; ++label) sum += fractions[label];
  return sum;
}

std::span<const std::byte> Shard::image(int tile) const noexcept {
  const auto bytes = static_cast<std::size_t>(info().height) * static_cast<std::size_t>(info().width) *
                     static_cast<std::size_t>(info().bands) * size_of(info().dtype);
  return mapping_->file.bytes().subspan(mapping_->layout.images_offset + static_cast<std::size_t>(tile) * bytes, bytes);
}

std::span<const std::uint8_t> Shard::labels(int tile) const noexcept {
  const auto bytes = static_cast<std::size_t>(info().height) * static_cast<std::size_t>(info().width);
  const auto* start =
      mapping_->file.bytes().data() + mapping_->layout.labels_offset + static_cast<std::size_t>(tile) * bytes;
  return {reinterpret_cast<const std::uint8_t*>(start), bytes};
}

void Shard::read(int tile, const Window& window, std::span<const float> mean, std::span<const float> std,
                 float* out) const {
  const auto raw = normalisation_of_raw(info(), mean, std);
  const auto bands = static_cast<std::size_t>(info().bands);
  const auto pixels = static_cast<std::size_t>(window.width);
  const auto pixel_bytes = bands * size_of(info().dtype);
  const auto* const first = image(tile).data();
  bool finite = true;
  for (int row = window.row; row < window.row + window.height; ++row) {
    const auto start = static_cast<std::size_t>(row) * static_cast<std::size_t>(info().width) +
                       static_cast<std::size_t>(window.column);
    const auto row_of = [&]<class T>(T) {
      return normalise<T>(first + start * pixel_bytes, pixels, bands, raw.mean.data(), raw.std.data(), out);
    };
    if (info().dtype == DType::u8) {
      row_of(std::uint8_t{});
    } else if (info().dtype == DType::u16) {
      row_of(std::uint16_t{});
    } else {
      finite = row_of(float{}) && finite;
    }
    out += pixels * bands;
  }
  if (!finite) throw not_finite(tile);
}

Error Shard::not_finite(int tile) const {
  return input_error("{}: tile {} holds NaN or infinity; pack the data again", path().string(),
                     info().name[static_cast<std::size_t>(tile)]);
}

void Shard::read(int tile, std::span<const float> mean, std::span<const float> std, float* out) const {
  read(tile, {0, 0, info().height, info().width}, mean, std, out);
}

void Shard::read_raw(int tile, const Window& window, std::byte* out) const {
  const auto pixel_bytes = static_cast<std::size_t>(info().bands) * size_of(info().dtype);
  const auto row_bytes = static_cast<std::size_t>(window.width) * pixel_bytes;
  for (int row = window.row; row < window.row + window.height; ++row, out += row_bytes) {
    const auto start = static_cast<std::size_t>(row) * static_cast<std::size_t>(info().width) +
                       static_cast<std::size_t>(window.column);
    std::memcpy(out, image(tile).data() + start * pixel_bytes, row_bytes);
    if (info().dtype == DType::f32 && !all_finite(out, row_bytes / sizeof(float))) throw not_finite(tile);
  }
}

void Shard::read_labels(int tile, const Window& window, std::uint8_t* out) const {
  const auto all = labels(tile);
  const int labels = info().classes == 1 ? 2 : info().classes;
  for (int row = window.row; row < window.row + window.height; ++row) {
    const auto start = static_cast<std::size_t>(row) * static_cast<std::size_t>(info().width) +
                       static_cast<std::size_t>(window.column);
    for (const auto label : all.subspan(start, static_cast<std::size_t>(window.width))) {
      if (label >= labels && label != kernels::ignore_label)
        throw input_error("{}: tile {} holds label {}, of {} labels; pack the data again", path().string(),
                          info().name[static_cast<std::size_t>(tile)], label, labels);
      *out++ = label;
    }
  }
}

}  // namespace plume::data

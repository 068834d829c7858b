// The mapping of shards' two big datasets, and reads from it.
#include "data/shards/shard.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>
#include <set>
#include <string_view>
#include <tuple>

#include "data/shards/shard_info.hpp"
#include "data/shards/tile_table.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/mapped_file.hpp"
#include "kernels/loss.hpp"

namespace plume::data {

struct Shard::Mapping {
  struct File {
    std::filesystem::path path;
    int first = 0;  // its first tile's number
    std::uint64_t images_offset = 0;
    std::uint64_t labels_offset = 0;
    MappedFile mapped;
  };

  std::filesystem::path path;  // as given
  ShardInfo info;
  std::vector<File> files;
  std::array<std::vector<int>, 3> tiles;  // by split

  void add(const std::filesystem::path& file);

  [[nodiscard]] const File& file_of(int tile) const {
    auto file = files.begin();
    if (files.size() > 1)
      file =
          std::prev(std::partition_point(files.begin(), files.end(), [&](const File& f) { return f.first <= tile; }));
    return *file;
  }
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
    finite &= std::isfinite(value);
  }
  return finite;
}

// A window of a tile that is `width` pixels wide: one block where it takes whole rows.
void copy_window(std::span<const std::byte> tile, int width, const Window& window, std::size_t pixel_bytes,
                 std::byte* out) {
  const bool whole_rows = window.width == width;
  const int blocks = whole_rows ? 1 : window.height;
  const auto row_bytes = static_cast<std::size_t>(window.width) * pixel_bytes;
  const auto block_bytes = whole_rows ? row_bytes * static_cast<std::size_t>(window.height) : row_bytes;
  for (int row = window.row; row < window.row + blocks; ++row, out += block_bytes) {
    const auto start =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(window.column);
    std::memcpy(out, tile.data() + start * pixel_bytes, block_bytes);
  }
}

// Tiles of several files are of one kind, and their moments are known.
void check_alike(const std::filesystem::path& path, const ShardInfo& info, const std::filesystem::path& first_path,
                 const ShardInfo& first) {
  const auto kind = [](const ShardInfo& of) {
    return std::tie(of.height, of.width, of.bands, of.classes, of.dtype, of.scale, of.offset, of.label_target);
  };
  if (kind(info) != kind(first))
    throw input_error("{} and {} differ in their tiles' size, bands, type, scale or classes; they are no set",
                      path.string(), first_path.string());
  if (info.checksum.empty() || first.checksum.empty())
    throw input_error("{} or {} is of shard format 1, which stands alone; pack the data again", path.string(),
                      first_path.string());
}

void check_names(const std::filesystem::path& path, const ShardInfo& info) {
  std::set<std::string_view> names;
  for (const auto& name : info.name) {
    if (!names.insert(name).second) throw input_error("{}: tile {} is in two of the shards", path.string(), name);
  }
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

void Shard::Mapping::add(const std::filesystem::path& file) {
  auto layout = read_shard_layout(file);
  MappedFile mapped(file);
  // The layout was read through another open file.
  if (mapped.bytes().size() < layout.file_bytes)
    throw input_error("{} was shortened while it was opened", file.string());
  const int first = files.empty() ? 0 : info.tiles;
  if (files.empty()) {
    info = std::move(layout.info);
  } else {
    check_alike(file, layout.info, files[0].path, info);
    append_tables(info, layout.info);
  }
  files.push_back({file, first, layout.images_offset, layout.labels_offset, std::move(mapped)});
}

Shard::Shard(const std::filesystem::path& path) : mapping_(std::make_unique<Mapping>()) {
  auto& mapping = *mapping_;
  mapping.path = path;
  for (const auto& file : shard_files(path)) mapping.add(file);
  if (mapping.files.size() > 1) {
    check_names(path, mapping.info);
    normalise_by_training_tiles(mapping.info);
  }
  for (int tile = 0; tile < mapping.info.tiles; ++tile)
    mapping.tiles[static_cast<std::size_t>(mapping.info.split[static_cast<std::size_t>(tile)])].push_back(tile);
}

Shard::~Shard() = default;
Shard::Shard(Shard&&) noexcept = default;
Shard& Shard::operator=(Shard&&) noexcept = default;

const std::filesystem::path& Shard::path() const noexcept {
  return mapping_->path;
}

const ShardInfo& Shard::info() const noexcept {
  return mapping_->info;
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
  const auto& file = mapping_->file_of(tile);
  return file.mapped.bytes().subspan(file.images_offset + static_cast<std::size_t>(tile - file.first) * bytes, bytes);
}

std::span<const std::uint8_t> Shard::labels(int tile) const noexcept {
  const auto bytes = static_cast<std::size_t>(info().height) * static_cast<std::size_t>(info().width);
  const auto& file = mapping_->file_of(tile);
  const auto* start =
      file.mapped.bytes().data() + file.labels_offset + static_cast<std::size_t>(tile - file.first) * bytes;
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
  return input_error("{}: tile {} holds NaN or infinity; pack the data again", mapping_->file_of(tile).path.string(),
                     info().name[static_cast<std::size_t>(tile)]);
}

void Shard::read(int tile, std::span<const float> mean, std::span<const float> std, float* out) const {
  read(tile, {0, 0, info().height, info().width}, mean, std, out);
}

void Shard::read_raw(int tile, const Window& window, std::byte* out) const {
  const auto pixel_bytes = static_cast<std::size_t>(info().bands) * size_of(info().dtype);
  copy_window(image(tile), info().width, window, pixel_bytes, out);
  const auto values = static_cast<std::size_t>(window.height) * static_cast<std::size_t>(window.width) *
                      static_cast<std::size_t>(info().bands);
  if (info().dtype == DType::f32 && !all_finite(out, values)) throw not_finite(tile);
}

void Shard::read_labels(int tile, const Window& window, std::uint8_t* out) const {
  copy_window(std::as_bytes(labels(tile)), info().width, window, 1, reinterpret_cast<std::byte*>(out));
  const std::span<const std::uint8_t> taken(
      out, static_cast<std::size_t>(window.height) * static_cast<std::size_t>(window.width));
  // One more than a label, so that the one that is ignored becomes 0: the greatest of all tells, many at a time.
  static_assert(kernels::ignore_label == 255);
  const auto rank = [](std::uint8_t label) { return static_cast<std::uint8_t>(label + 1); };
  const auto labels = static_cast<std::uint8_t>(info().classes == 1 ? 2 : info().classes);
  std::uint8_t greatest = 0;
  for (const auto label : taken) greatest = std::max(greatest, rank(label));
  if (greatest > labels)
    throw input_error("{}: tile {} holds label {}, of {} labels; pack the data again",
                      mapping_->file_of(tile).path.string(), info().name[static_cast<std::size_t>(tile)], greatest - 1,
                      labels);
}

}  // namespace plume::data

// Reading a shard's HDF5 metadata. Nothing in the file is trusted: sizes are checked against the file's before use.
#include "data/shard_info.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "data/hdf5.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

// The number of elements, or none where an extent is 0 or the product exceeds what a file can hold.
std::uint64_t count_of(const std::vector<hsize_t>& extents) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 48;
  std::uint64_t count = 1;
  for (const auto extent : extents) {
    if (extent == 0 || extent > static_cast<hsize_t>(std::numeric_limits<int>::max()) || count > limit / extent)
      return 0;
    count *= extent;
  }
  return count;
}

class ShardReader {
 public:
  explicit ShardReader(const std::filesystem::path& path) : path_(path) {
    std::error_code failed;
    bytes_ = std::filesystem::file_size(path, failed);
    if (failed) throw input_error("cannot read the shard {}: {}", path.string(), failed.message());
    if (bytes_ == 0) throw input_error("{} is empty (0 bytes)", path.string());
    file_ = Hdf5File(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    if (!file_) throw input_error("{} is not an HDF5 file, or is truncated or damaged", path.string());
    const Hdf5Properties creation(H5Fget_create_plist(file_.id()));
    hsize_t user_block = 0;
    if (H5Pget_userblock(creation.id(), &user_block) < 0 || user_block != 0) throw bad("has an HDF5 user block");
  }

  ShardLayout read() {
    ShardLayout layout;
    layout.file_bytes = bytes_;
    auto& info = layout.info;
    const int version = scalar<int>("format_version", H5T_NATIVE_INT);
    if (version < 1 || version > shard_format_version)
      throw bad(fmt::format("has shard format {}; this program reads formats 1 to {}", version, shard_format_version));
    images(layout);
    labels(layout);
    attributes(info);
    tables(info);
    if (version >= 2) statistics(info);
    return layout;
  }

 private:
  [[nodiscard]] Error bad(std::string_view what) const {
    return input_error("{} is no usable shard: it {}", path_.string(), what);
  }

  struct Opened {
    Hdf5Dataset dataset;
    Hdf5Type type;
    std::vector<hsize_t> extents;
    std::uint64_t count = 0;
  };

  [[nodiscard]] std::vector<hsize_t> extents_of(const Hdf5Space& space) const {
    const int rank = space ? H5Sget_simple_extent_ndims(space.id()) : -1;
    if (rank < 0 || rank > 4) return {};
    std::vector<hsize_t> extents(static_cast<std::size_t>(rank));
    if (rank > 0 && H5Sget_simple_extent_dims(space.id(), extents.data(), nullptr) < 0) return {};
    return extents;
  }

  Opened open(const char* name, std::size_t rank) {
    Opened opened;
    opened.dataset = Hdf5Dataset(H5Dopen2(file_.id(), name, H5P_DEFAULT));
    if (!opened.dataset) throw bad(fmt::format("lacks the dataset '{}'", name));
    opened.type = Hdf5Type(H5Dget_type(opened.dataset.id()));
    opened.extents = extents_of(Hdf5Space(H5Dget_space(opened.dataset.id())));
    opened.count = count_of(opened.extents);
    if (!opened.type || opened.extents.size() != rank || opened.count == 0)
      throw bad(fmt::format("has a dataset '{}' of the wrong shape", name));
    if (opened.count > bytes_ || opened.count * H5Tget_size(opened.type.id()) > bytes_)
      throw bad(fmt::format("has a dataset '{}' larger than the file (truncated?)", name));
    return opened;
  }

  // Where a big dataset lies, after checking that it lies there in one piece, as stored, within the file.
  std::uint64_t offset_of(const Opened& opened, const char* name) {
    const Hdf5Properties creation(H5Dget_create_plist(opened.dataset.id()));
    if (!creation || H5Pget_layout(creation.id()) != H5D_CONTIGUOUS || H5Pget_nfilters(creation.id()) != 0 ||
        H5Pget_external_count(creation.id()) != 0)
      throw bad(fmt::format("has '{}' chunked, compressed or external; it must be contiguous", name));
    const auto offset = H5Dget_offset(opened.dataset.id());
    const auto size = opened.count * H5Tget_size(opened.type.id());
    if (offset == HADDR_UNDEF || H5Dget_storage_size(opened.dataset.id()) != size || offset > bytes_ ||
        size > bytes_ - offset)
      throw bad(fmt::format("has '{}' reaching beyond its end (truncated?)", name));
    return offset;
  }

  void images(ShardLayout& layout) {
    const auto opened = open("images", 4);
    auto& info = layout.info;
    const auto is = [&](hid_t type) { return H5Tequal(opened.type.id(), type) > 0; };
    if (is(H5T_STD_U8LE)) {
      info.dtype = DType::u8;
    } else if (is(H5T_STD_U16LE)) {
      info.dtype = DType::u16;
    } else if (is(H5T_IEEE_F32LE)) {
      info.dtype = DType::f32;
    } else {
      throw bad("has images that are not little-endian u8, u16 or f32");
    }
    info.tiles = static_cast<int>(opened.extents[0]);
    info.height = static_cast<int>(opened.extents[1]);
    info.width = static_cast<int>(opened.extents[2]);
    info.bands = static_cast<int>(opened.extents[3]);
    layout.images_offset = offset_of(opened, "images");
  }

  void labels(ShardLayout& layout) {
    const auto opened = open("labels", 3);
    const auto& info = layout.info;
    const std::vector<hsize_t> expected{static_cast<hsize_t>(info.tiles), static_cast<hsize_t>(info.height),
                                        static_cast<hsize_t>(info.width)};
    if (opened.extents != expected || H5Tequal(opened.type.id(), H5T_STD_U8LE) <= 0)
      throw bad("has labels that do not fit its images");
    layout.labels_offset = offset_of(opened, "labels");
  }

  template <class T>
  std::vector<T> attribute(const char* name, hid_t memory, H5T_class_t kind, std::size_t count) {
    const Hdf5Attribute opened(H5Aopen(file_.id(), name, H5P_DEFAULT));
    if (!opened) throw bad(fmt::format("lacks the attribute '{}'", name));
    const Hdf5Type type(H5Aget_type(opened.id()));
    const Hdf5Space space(H5Aget_space(opened.id()));
    std::vector<T> values(count);
    if (!type || !space || H5Tget_class(type.id()) != kind ||
        H5Sget_simple_extent_npoints(space.id()) != static_cast<hssize_t>(count) ||
        H5Aread(opened.id(), memory, values.data()) < 0)
      throw bad(fmt::format("has an attribute '{}' of the wrong type or length", name));
    return values;
  }

  template <class T>
  T scalar(const char* name, hid_t memory) {
    return attribute<T>(name, memory, std::is_integral_v<T> ? H5T_INTEGER : H5T_FLOAT, 1)[0];
  }

  std::string text(const char* name) {
    const Hdf5Attribute opened(H5Aopen(file_.id(), name, H5P_DEFAULT));
    if (!opened) throw bad(fmt::format("lacks the attribute '{}'", name));
    const Hdf5Type type(H5Aget_type(opened.id()));
    const auto length = type ? H5Tget_size(type.id()) : 0;
    std::string value(std::min<std::size_t>(length, 4096), '\0');
    if (!type || H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) != 0 ||
        length != value.size() || H5Aread(opened.id(), type.id(), value.data()) < 0)
      throw bad(fmt::format("has an attribute '{}' that is no text", name));
    return value.substr(0, value.find('\0'));
  }

  void attributes(ShardInfo& info) {
    const auto bands = static_cast<std::size_t>(info.bands);
    if (scalar<int>("bands", H5T_NATIVE_INT) != info.bands) throw bad("names another number of bands than it holds");
    info.classes = scalar<int>("classes", H5T_NATIVE_INT);
    if (info.classes < 1 || info.classes > 255) throw bad(fmt::format("names {} classes", info.classes));
    info.scale = one_or_each("scale", bands);
    info.offset = one_or_each("offset", bands);
    if (H5Aexists(file_.id(), "label_target") > 0)
      info.label_target =
          attribute<float>("label_target", H5T_NATIVE_FLOAT, H5T_FLOAT, static_cast<std::size_t>(info.classes));
    info.mean = attribute<float>("mean", H5T_NATIVE_FLOAT, H5T_FLOAT, bands);
    info.std = attribute<float>("std", H5T_NATIVE_FLOAT, H5T_FLOAT, bands);
    info.creator = text("creator");
    const auto all = [](const std::vector<float>& values, auto holds) {
      return std::all_of(values.begin(), values.end(), holds);
    };
    const auto finite = [](float value) { return std::isfinite(value); };
    const auto positive = [](float value) { return std::isfinite(value) && value > 0; };
    const auto fraction = [](float value) { return value >= 0 && value <= 1; };
    if (!all(info.scale, positive) || !all(info.offset, finite) || !all(info.mean, finite) ||
        !all(info.std, positive) || !all(info.label_target, fraction))
      throw bad("has a mean, std, scale, offset or label_target that is no usable number");
  }

  // One number for all bands in format 1, one for each since.
  std::vector<float> one_or_each(const char* name, std::size_t bands) {
    const Hdf5Attribute opened(H5Aopen(file_.id(), name, H5P_DEFAULT));
    const Hdf5Space space(opened ? H5Aget_space(opened.id()) : H5I_INVALID_HID);
    if (space && H5Sget_simple_extent_npoints(space.id()) == 1)
      return std::vector<float>(bands, scalar<float>(name, H5T_NATIVE_FLOAT));
    return attribute<float>(name, H5T_NATIVE_FLOAT, H5T_FLOAT, bands);
  }

  template <class T>
  std::vector<T> table(const char* name, hid_t memory, H5T_class_t kind, std::vector<int> shape) {
    const auto opened = open(name, shape.size());
    const bool fits = std::equal(shape.begin(), shape.end(), opened.extents.begin(),
                                 [](int wanted, hsize_t found) { return static_cast<hsize_t>(wanted) == found; });
    std::vector<T> values(static_cast<std::size_t>(opened.count));
    if (!fits || H5Tget_class(opened.type.id()) != kind ||
        H5Dread(opened.dataset.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
      throw bad(fmt::format("has a dataset '{}' that does not fit its images", name));
    return values;
  }

  std::vector<std::string> strings(const char* name, int tiles) {
    const auto opened = open(name, 1);
    if (opened.count != static_cast<std::uint64_t>(tiles) || H5Tget_class(opened.type.id()) != H5T_STRING ||
        H5Tis_variable_str(opened.type.id()) != 0)
      throw bad(fmt::format("has a dataset '{}' that is not one fixed-length text per tile", name));
    const auto length = H5Tget_size(opened.type.id());
    std::string packed(static_cast<std::size_t>(opened.count) * length, '\0');
    if (H5Dread(opened.dataset.id(), opened.type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, packed.data()) < 0)
      throw bad(fmt::format("has a damaged dataset '{}'", name));
    std::vector<std::string> values;
    for (std::size_t start = 0; start < packed.size(); start += length) {
      const auto value = std::string_view(packed).substr(start, length);
      values.emplace_back(value.substr(0, value.find('\0')));
    }
    return values;
  }

  void tables(ShardInfo& info) {
    for (const auto value : table<std::uint8_t>("split", H5T_NATIVE_UINT8, H5T_INTEGER, {info.tiles})) {
      if (value > static_cast<std::uint8_t>(Split::test)) throw bad(fmt::format("names a split {}", value));
      info.split.push_back(static_cast<Split>(value));
    }
    info.name = strings("tile_name", info.tiles);
    info.tile_file = strings("tile_file", info.tiles);
    info.mask_file = strings("mask_file", info.tiles);
    const auto projections = strings("projection", info.tiles);
    const auto transforms = table<double>("geotransform", H5T_NATIVE_DOUBLE, H5T_FLOAT, {info.tiles, 6});
    for (std::size_t tile = 0; tile < projections.size(); ++tile) {
      Georeference georeference{projections[tile], {}};
      std::copy_n(transforms.begin() + static_cast<std::ptrdiff_t>(tile * 6), 6, georeference.transform.begin());
      info.georeference.push_back(std::move(georeference));
    }
    info.positive_fraction = table<float>("positive_fraction", H5T_NATIVE_FLOAT, H5T_FLOAT, {info.tiles, info.classes});
    for (const float fraction : info.positive_fraction) {
      if (!(fraction >= 0 && fraction <= 1)) throw bad(fmt::format("has a positive_fraction of {}", fraction));
    }
  }

  void statistics(ShardInfo& info) {
    info.checksum = table<std::uint32_t>("checksum", H5T_NATIVE_UINT32, H5T_INTEGER, {info.tiles});
    info.band_least = table<float>("band_least", H5T_NATIVE_FLOAT, H5T_FLOAT, {info.tiles, info.bands});
    info.band_most = table<float>("band_most", H5T_NATIVE_FLOAT, H5T_FLOAT, {info.tiles, info.bands});
    const auto counted = table<std::int64_t>("counted", H5T_NATIVE_INT64, H5T_INTEGER, {info.tiles});
    const auto mean = table<double>("band_mean", H5T_NATIVE_DOUBLE, H5T_FLOAT, {info.tiles, info.bands});
    const auto squares = table<double>("band_squares", H5T_NATIVE_DOUBLE, H5T_FLOAT, {info.tiles, info.bands});
    const auto pixels = std::int64_t{info.height} * info.width;
    for (std::size_t tile = 0; tile < counted.size(); ++tile) {
      if (counted[tile] < 0 || counted[tile] > pixels) throw bad(fmt::format("has a tile of {} pixels", counted[tile]));
      const auto of_tile = [&](const std::vector<double>& values) {
        const auto first = values.begin() + static_cast<std::ptrdiff_t>(tile) * info.bands;
        return std::vector<double>(first, first + info.bands);
      };
      info.moments.emplace_back(counted[tile], of_tile(mean), of_tile(squares));
    }
  }

  const std::filesystem::path& path_;
  std::uint64_t bytes_ = 0;
  Hdf5File file_;
};

}  // namespace

ShardLayout read_shard_layout(const std::filesystem::path& path) {
  const Hdf5Session session;
  return ShardReader(path).read();
}

}  // namespace plume::data

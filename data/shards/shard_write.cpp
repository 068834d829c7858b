// The HDF5 half of ShardWriter. HDF5 never writes the bulk, so a full disk shows as a plain errno, not within HDF5,
// which cannot close a file that it fails to flush.
#include "data/shards/shard_write.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "data/formats/hdf5.hpp"
#include "kernels/base/crc32c.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

constexpr hsize_t page_bytes = 4096;                 // the two big datasets start at pages of their own
constexpr std::uint64_t metadata_bytes = 1U << 20U;  // more than HDF5's own headers take

Error failed(const AtomicFile& file, const char* what) {
  return environment_error("cannot write {}: HDF5 failed to {}", file.path().string(), what);
}

hid_t file_type(DType type) {
  if (type == DType::u8) return H5T_STD_U8LE;
  return type == DType::u16 ? H5T_STD_U16LE : H5T_IEEE_F32LE;
}

Hdf5Space space_of(std::span<const hsize_t> extents) {
  return Hdf5Space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
}

// No modification times: the same tiles give the same bytes.
Hdf5Properties dataset_properties() {
  Hdf5Properties properties(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_obj_track_times(properties.id(), false);
  return properties;
}

// The format of HDF5 1.8 and later, which keeps a checksum with every piece of metadata: the library refuses what is
// damaged, where the older format leads it astray (1.10 reads freed memory).
Hdf5Properties file_access() {
  Hdf5Properties access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_libver_bounds(access.id(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  H5Pset_alignment(access.id(), page_bytes, page_bytes);
  return access;
}

// A contiguous dataset whose space is allocated and not filled; returns its offset in the file.
std::uint64_t allocate(const AtomicFile& file, const Hdf5File& open, const char* name, hid_t type,
                       std::span<const hsize_t> extents) {
  const auto properties = dataset_properties();
  H5Pset_layout(properties.id(), H5D_CONTIGUOUS);
  H5Pset_alloc_time(properties.id(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(properties.id(), H5D_FILL_TIME_NEVER);
  const Hdf5Dataset dataset(
      H5Dcreate2(open.id(), name, type, space_of(extents).id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT));
  const auto offset = dataset ? H5Dget_offset(dataset.id()) : HADDR_UNDEF;
  if (offset == HADDR_UNDEF) throw failed(file, "allocate the images");
  return offset;
}

// Writes the small datasets and the attributes into an open file.
class InfoWriter {
 public:
  InfoWriter(const AtomicFile& file, const Hdf5File& open) : file_(file), open_(open) {}

  void dataset(const char* name, hid_t stored, hid_t memory, std::span<const hsize_t> extents, const void* values) {
    // Tables are read through HDF5, which compares this checksum; images and labels have their own (tile_checksum).
    const auto properties = dataset_properties();
    if (H5Pset_chunk(properties.id(), static_cast<int>(extents.size()), extents.data()) < 0 ||
        H5Pset_fletcher32(properties.id()) < 0)
      throw failed(file_, name);
    const Hdf5Dataset made(
        H5Dcreate2(open_.id(), name, stored, space_of(extents).id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT));
    if (!made || H5Dwrite(made.id(), memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) throw failed(file_, name);
  }

  // As fixed-length, zero-padded UTF-8, which every reader of HDF5 takes as text.
  void strings(const char* name, const std::vector<std::string>& values) {
    std::size_t length = 1;
    for (const auto& value : values) length = std::max(length, value.size());
    std::string packed(length * values.size(), '\0');
    for (std::size_t i = 0; i < values.size(); ++i) values[i].copy(packed.data() + i * length, length);
    const auto type = text_type(length);
    const std::array extents{hsize_t{values.size()}};
    dataset(name, type.id(), type.id(), extents, packed.data());
  }

  void attribute(const char* name, hid_t stored, hid_t memory, const Hdf5Space& space, const void* value) {
    const Hdf5Attribute made(H5Acreate2(open_.id(), name, stored, space.id(), H5P_DEFAULT, H5P_DEFAULT));
    if (!made || H5Awrite(made.id(), memory, value) < 0) throw failed(file_, name);
  }

  void attribute(const char* name, int value) {
    attribute(name, H5T_STD_I32LE, H5T_NATIVE_INT, Hdf5Space(H5Screate(H5S_SCALAR)), &value);
  }

  void attribute(const char* name, const std::vector<float>& values) {
    const std::array extents{hsize_t{values.size()}};
    attribute(name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, space_of(extents), values.data());
  }

  void attribute(const char* name, const std::string& value) {
    const auto type = text_type(std::max<std::size_t>(1, value.size()));
    attribute(name, type.id(), type.id(), Hdf5Space(H5Screate(H5S_SCALAR)), value.c_str());
  }

 private:
  static Hdf5Type text_type(std::size_t length) {
    Hdf5Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.id(), length);
    H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
    H5Tset_cset(type.id(), H5T_CSET_UTF8);
    return type;
  }

  const AtomicFile& file_;
  const Hdf5File& open_;
};

void write_tables(InfoWriter& writer, const ShardInfo& info) {
  const auto tiles = static_cast<hsize_t>(info.tiles);
  writer.dataset("split", H5T_STD_U8LE, H5T_NATIVE_UINT8, std::array{tiles}, info.split.data());
  writer.strings("tile_name", info.name);
  writer.strings("tile_file", info.tile_file);
  writer.strings("mask_file", info.mask_file);
  std::vector<std::string> projections;
  std::vector<double> transforms;
  for (const auto& georeference : info.georeference) {
    projections.push_back(georeference.projection);
    transforms.insert(transforms.end(), georeference.transform.begin(), georeference.transform.end());
  }
  writer.strings("projection", projections);
  writer.dataset("geotransform", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, std::array{tiles, hsize_t{6}}, transforms.data());
  writer.dataset("positive_fraction", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT,
                 std::array{tiles, static_cast<hsize_t>(info.classes)}, info.positive_fraction.data());
}

void write_statistics(InfoWriter& writer, const ShardInfo& info, const std::vector<std::uint32_t>& checksums) {
  const auto tiles = static_cast<hsize_t>(info.tiles);
  const std::array each_band{tiles, static_cast<hsize_t>(info.bands)};
  std::vector<std::int64_t> counted;
  std::vector<double> mean;
  std::vector<double> squares;
  for (const auto& moments : info.moments) {
    counted.push_back(moments.count());
    for (std::size_t band = 0; band < static_cast<std::size_t>(info.bands); ++band) {
      mean.push_back(moments.mean(band));
      squares.push_back(moments.squares(band));
    }
  }
  writer.dataset("checksum", H5T_STD_U32LE, H5T_NATIVE_UINT32, std::array{tiles}, checksums.data());
  writer.dataset("counted", H5T_STD_I64LE, H5T_NATIVE_INT64, std::array{tiles}, counted.data());
  writer.dataset("band_mean", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, each_band, mean.data());
  writer.dataset("band_squares", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, each_band, squares.data());
  writer.dataset("band_least", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, each_band, info.band_least.data());
  writer.dataset("band_most", H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, each_band, info.band_most.data());
}

void write_attributes(InfoWriter& writer, const ShardInfo& info) {
  writer.attribute("format_version", shard_format_version);
  writer.attribute("bands", info.bands);
  writer.attribute("classes", info.classes);
  writer.attribute("scale", info.scale);
  writer.attribute("offset", info.offset);
  writer.attribute("mean", info.mean);
  writer.attribute("std", info.std);
  writer.attribute("creator", info.creator);
  if (!info.label_target.empty()) writer.attribute("label_target", info.label_target);
}

std::uint64_t table_bytes(const ShardInfo& info) {
  std::size_t projection = 0;
  std::size_t names = 0;
  for (const auto& georeference : info.georeference) projection = std::max(projection, georeference.projection.size());
  for (std::size_t i = 0; i < info.name.size(); ++i)
    names = std::max(names, info.name[i].size() + info.tile_file[i].size() + info.mask_file[i].size());
  const auto per_tile = projection + 3 * names + 96 + sizeof(float) * static_cast<std::size_t>(info.classes) +
                        2 * (sizeof(double) + sizeof(float)) * static_cast<std::size_t>(info.bands);
  return metadata_bytes + per_tile * info.name.size();
}

}  // namespace

std::uint32_t tile_checksum(std::span<const std::byte> image, std::span<const std::uint8_t> labels) {
  return crc32c(std::as_bytes(labels), crc32c(image));
}

std::size_t ShardShape::label_bytes() const {
  return static_cast<std::size_t>(tile.height) * static_cast<std::size_t>(tile.width);
}

std::size_t ShardShape::image_bytes() const {
  return label_bytes() * static_cast<std::size_t>(tile.bands) * size_of(tile.dtype);
}

ShardWriter::ShardWriter(const std::filesystem::path& path, const ShardShape& shape)
    : file_(path), shape_(shape), checksums_(static_cast<std::size_t>(shape.tiles)) {
  // Whether the disk has room shows at once, before HDF5 writes anything. Creating the file anew, HDF5 gives the space
  // back, so the pixels' is taken again; finish() adds the tables'.
  const int descriptor = ::open(file_.temporary().c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) throw environment_error("cannot write {}: {}", path.string(), std::strerror(errno));
  descriptor_ = descriptor;
  try {
    reserve(static_cast<std::uint64_t>(shape.tiles) * (shape.image_bytes() + shape.label_bytes()) + metadata_bytes);
    lay_out();
    reserve(std::filesystem::file_size(file_.temporary()));
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

ShardWriter::~ShardWriter() {
  ::close(descriptor_);
}

void ShardWriter::lay_out() {
  const Hdf5Session session;
  const Hdf5Properties creation(H5Pcreate(H5P_FILE_CREATE));
  H5Pset_obj_track_times(creation.id(), false);
  Hdf5File open(H5Fcreate(file_.temporary().c_str(), H5F_ACC_TRUNC, creation.id(), file_access().id()));
  if (!open) throw failed(file_, "create the file");
  const auto extent = [](int value) { return static_cast<hsize_t>(value); };
  const std::array image{extent(shape_.tiles), extent(shape_.tile.height), extent(shape_.tile.width),
                         extent(shape_.tile.bands)};
  images_offset_ = allocate(file_, open, "images", file_type(shape_.tile.dtype), image);
  labels_offset_ = allocate(file_, open, "labels", H5T_STD_U8LE, std::span(image).first(3));
  if (!open.reset()) throw failed(file_, "write the layout");
}

void ShardWriter::reserve(std::uint64_t bytes) const {
  if (::fallocate(descriptor_, 0, 0, static_cast<off_t>(bytes)) == 0) return;
  if (errno == ENOSPC || errno == EFBIG || errno == EDQUOT)
    throw environment_error("cannot write {}: {} MB are needed and the disk has no room for them",
                            file_.path().string(), bytes / 1000000 + 1);
  // Other refusals mean that this file system cannot reserve; the writes themselves will tell.
}

void ShardWriter::write_at(std::uint64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw environment_error("cannot write {}: {}", file_.path().string(), std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void ShardWriter::write_tile(int tile, std::span<const std::byte> image, std::span<const std::uint8_t> labels) {
  const auto index = static_cast<std::uint64_t>(tile);
  write_at(images_offset_ + index * shape_.image_bytes(), image);
  write_at(labels_offset_ + index * shape_.label_bytes(), std::as_bytes(labels));
  checksums_[static_cast<std::size_t>(tile)] = tile_checksum(image, labels);
}

void ShardWriter::finish(const ShardInfo& info, Durable durable) {
  reserve(std::filesystem::file_size(file_.temporary()) + table_bytes(info));
  const Hdf5Session session;
  Hdf5File open(H5Fopen(file_.temporary().c_str(), H5F_ACC_RDWR, file_access().id()));
  if (!open) throw failed(file_, "open the file again");
  InfoWriter writer(file_, open);
  write_tables(writer, info);
  write_statistics(writer, info, checksums_);
  write_attributes(writer, info);
  if (!open.reset()) throw failed(file_, "close the file");
  file_.commit(durable);
}

}  // namespace plume::data

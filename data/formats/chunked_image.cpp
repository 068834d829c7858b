// From the library's description of a dataset to windows of its pixels.
#include "data/formats/chunked_image.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

static_assert(std::endian::native == std::endian::little, "values are taken as stored");

constexpr std::size_t held_bytes = std::size_t{16} << 20U;
constexpr std::size_t largest_chunk = std::size_t{1} << 28U;  // bytes; a damaged file may claim any size

}  // namespace

std::unique_ptr<ChunkedImage> ChunkedImage::open(const std::filesystem::path& path, const std::string& name) {
  std::unique_ptr<ChunkedImage> image(new ChunkedImage(path, name));
  const Hdf5Session session;
  image->file_ = Hdf5File(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  if (!image->file_) return nullptr;
  image->dataset_ = Hdf5Dataset(H5Dopen2(image->file_.id(), name.c_str(), H5P_DEFAULT));
  if (!image->dataset_ || !image->describe()) return nullptr;
  return image;
}

ChunkedImage::~ChunkedImage() {
  const Hdf5Session session;
  dataset_.reset();
  file_.reset();
}

bool ChunkedImage::describe() {
  const Hdf5Space space(H5Dget_space(dataset_.id()));
  std::array<hsize_t, 2> shape{};
  if (!space || H5Sget_simple_extent_ndims(space.id()) != 2 ||
      H5Sget_simple_extent_dims(space.id(), shape.data(), nullptr) != 2)
    return false;
  const Hdf5Type type(H5Dget_type(dataset_.id()));
  if (!type || H5Tget_class(type.id()) != H5T_INTEGER || H5Tget_order(type.id()) != H5T_ORDER_LE ||
      H5Tget_size(type.id()) > 2)
    return false;
  const Hdf5Properties properties(H5Dget_create_plist(dataset_.id()));
  std::array<hsize_t, 2> chunk{};
  if (!properties || H5Pget_layout(properties.id()) != H5D_CHUNKED ||
      H5Pget_chunk(properties.id(), 2, chunk.data()) != 2 || chunk[0] < 1 || chunk[1] < 1)
    return false;
  height_ = shape[0];
  width_ = shape[1];
  element_bytes_ = H5Tget_size(type.id());
  chunk_height_ = chunk[0];
  chunk_width_ = chunk[1];
  fill_.resize(element_bytes_);
  return chunk_height_ <= largest_chunk && chunk_width_ <= largest_chunk / chunk_height_ / element_bytes_ &&
         H5Pget_fill_value(properties.id(), type.id(), fill_.data()) >= 0 && describe_filters(properties.id());
}

bool ChunkedImage::describe_filters(hid_t properties) {
  const int count = H5Pget_nfilters(properties);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    filters_.push_back(
        H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr));
  }
  return count >= 0 && std::all_of(filters_.begin(), filters_.end(), [](H5Z_filter_t filter) {
           return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE;
         });
}

void ChunkedImage::refuse(const char* why) const {
  throw input_error("cannot read {} of {}: {}; is the file damaged?", name_, path_.string(), why);
}

void ChunkedImage::read(const PixelWindow& window, std::byte* target) const {
  const std::size_t row_end = window.row + window.height;
  const std::size_t column_end = window.column + window.width;
  if (window.pixels() == 0) return;
  const std::size_t most_held = std::max<std::size_t>(1, held_bytes / chunk_bytes());
  for (std::size_t i = window.row / chunk_height_; i * chunk_height_ < row_end; ++i) {
    const std::size_t first_row = std::max(window.row, i * chunk_height_);
    const std::size_t last_row = std::min(row_end, (i + 1) * chunk_height_);
    for (std::size_t j = window.column / chunk_width_; j * chunk_width_ < column_end; ++j) {
      const std::size_t first_column = std::max(window.column, j * chunk_width_);
      const std::size_t last_column = std::min(column_end, (j + 1) * chunk_width_);
      const std::size_t place = i * chunks_across() + j;
      const auto chunk = chunks_.of(place, most_held, [&] { return read_chunk(place); });
      const Bytes& pixels = chunk.get();
      for (std::size_t row = first_row; row < last_row; ++row) {
        const std::size_t from = (row - i * chunk_height_) * chunk_width_ + (first_column - j * chunk_width_);
        const std::size_t to = (row - window.row) * window.width + (first_column - window.column);
        std::memcpy(target + to * element_bytes_, pixels.data() + from * element_bytes_,
                    (last_column - first_column) * element_bytes_);
      }
    }
  }
}

ChunkedImage::Bytes ChunkedImage::read_chunk(std::size_t place) const {
  auto [bytes, skipped] = fetch(place);
  if (bytes.empty()) {
    bytes.resize(chunk_bytes());
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = fill_[i % element_bytes_];
    return bytes;
  }
  for (std::size_t i = filters_.size(); i-- > 0;) {
    if ((skipped >> i & 1U) != 0) continue;
    bytes = filters_[i] == H5Z_FILTER_DEFLATE ? inflated(bytes) : unshuffled(bytes);
  }
  if (bytes.size() != chunk_bytes()) refuse("a chunk has another size than its header says");
  return bytes;
}

// Empty where the chunk was never written.
ChunkedImage::Stored ChunkedImage::fetch(std::size_t place) const {
  const std::array<hsize_t, 2> offset{place / chunks_across() * chunk_height_, place % chunks_across() * chunk_width_};
  const Hdf5Session session;
  hsize_t size = 0;
  if (H5Dget_chunk_storage_size(dataset_.id(), offset.data(), &size) < 0) refuse("a chunk is not found");
  // Deflate makes bytes that it cannot shrink longer by a few in a thousand.
  if (size > chunk_bytes() + chunk_bytes() / 8 + 64) refuse("a chunk claims to be too large");
  Stored stored{.bytes = Bytes(size)};
  if (size > 0 && H5Dread_chunk(dataset_.id(), H5P_DEFAULT, offset.data(), &stored.skipped, stored.bytes.data()) < 0)
    refuse("a chunk cannot be read");
  return stored;
}

ChunkedImage::Bytes ChunkedImage::inflated(const Bytes& stored) const {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  if (decompressor == nullptr) throw std::bad_alloc();
  Bytes bytes(chunk_bytes());
  // Without a place for its size, the result must fill the chunk.
  const auto result =
      libdeflate_zlib_decompress(decompressor.get(), stored.data(), stored.size(), bytes.data(), bytes.size(), nullptr);
  if (result != LIBDEFLATE_SUCCESS) refuse("a chunk cannot be inflated");
  return bytes;
}

// Shuffled are the first bytes of all elements, then the second ones.
ChunkedImage::Bytes ChunkedImage::unshuffled(const Bytes& stored) const {
  Bytes bytes(stored.size());
  const std::size_t elements = stored.size() / element_bytes_;
  for (std::size_t byte = 0; byte < element_bytes_; ++byte) {
    for (std::size_t i = 0; i < elements; ++i) bytes[i * element_bytes_ + byte] = stored[byte * elements + i];
  }
  return bytes;
}

}  // namespace plume::data

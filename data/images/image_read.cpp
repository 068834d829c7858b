// Tells formats apart.
#include "data/images/image_read.hpp"

#include <string_view>

#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "data/images/raster_rules.hpp"
#include "data/images/tiff.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/mapped_file.hpp"

namespace plume::data {
namespace {

using namespace std::string_view_literals;

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).starts_with(magic);
}

// II or MM for the order of bytes, 42 for TIFF, 43 for BigTIFF.
bool is_tiff(std::span<const std::byte> bytes) {
  return begins_with(bytes, "II*\0"sv) || begins_with(bytes, "MM\0*"sv) || begins_with(bytes, "II+\0"sv) ||
         begins_with(bytes, "MM\0+"sv);
}

}  // namespace

Raster decode_image(std::span<const std::byte> bytes, const std::string& name, const std::vector<int>& bands,
                    std::int64_t most_values) {
  const auto decode = [&] {
    if (is_tiff(bytes)) return decode_tiff(bytes, name, bands, most_values);
    if (begins_with(bytes, "\x89PNG"sv)) return decode_png(bytes, name, bands, most_values);
    if (begins_with(bytes, "\x93NUMPY"sv)) return raster_of(decode_npy(bytes, name), name, bands);
    if (bytes.empty()) throw input_error("{} is empty (0 bytes)", name);
    throw input_error("{} is neither TIFF nor PNG nor .npy", name);
  };
  Raster raster = decode();
  require_finite(name, bands, raster);
  return raster;
}

Raster read_image(const std::filesystem::path& path, const std::vector<int>& bands) {
  return decode_image(MappedFile(path).bytes(), path.string(), bands);
}

}  // namespace plume::data

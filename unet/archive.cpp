// tar's blocks of 512 bytes, through libdeflate.
#include "unet/archive.hpp"

#include <fmt/core.h>
#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

constexpr std::size_t block_bytes = 512;
using Block = std::array<char, block_bytes>;

// Numbers are octal, their fields end with a null.
Block header_of(const ArchivedFile& file) {
  constexpr std::size_t name_bytes = 100;
  constexpr std::size_t largest = std::size_t{1} << 33;  // eleven octal digits
  if (file.name.size() > name_bytes) throw std::logic_error("a name too long for tar: " + file.name);
  if (file.bytes.size() >= largest)
    throw input_error("{}: {} bytes are too many for tar", file.name, file.bytes.size());
  Block block{};
  const auto put = [&](std::size_t place, std::string_view text) {
    std::copy(text.begin(), text.end(), block.begin() + static_cast<std::ptrdiff_t>(place));
  };
  constexpr std::size_t checksum_place = 148;
  put(0, file.name);
  put(100, "0000644");
  put(108, "0000000");  // user
  put(116, "0000000");  // group
  put(124, fmt::format("{:011o}", file.bytes.size()));
  put(136, "00000000000");          // time
  put(checksum_place, "        ");  // counts as blanks
  put(156, "0");                    // a regular file
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(checksum_place, fmt::format("{:06o}", sum));
  block[checksum_place + 6] = '\0';
  return block;
}

std::vector<std::byte> tar(const std::vector<ArchivedFile>& files) {
  std::vector<std::byte> archive;
  const auto append = [&](std::span<const std::byte> bytes) {
    archive.insert(archive.end(), bytes.begin(), bytes.end());
    archive.resize((archive.size() + block_bytes - 1) / block_bytes * block_bytes);
  };
  for (const ArchivedFile& file : files) {
    const Block header = header_of(file);
    append(std::as_bytes(std::span(header)));
    append(file.bytes);
  }
  archive.resize(archive.size() + 2 * block_bytes);
  return archive;
}

}  // namespace

std::vector<std::byte> make_tar_gz(std::vector<ArchivedFile> files) {
  constexpr int level = 6;
  std::sort(files.begin(), files.end(), [](const ArchivedFile& a, const ArchivedFile& b) { return a.name < b.name; });
  const std::vector<std::byte> plain = tar(files);
  const std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
      libdeflate_alloc_compressor(level), &libdeflate_free_compressor);
  if (!compressor) throw std::bad_alloc();
  // libdeflate writes no time and no system into gzip's header.
  std::vector<std::byte> compressed(libdeflate_gzip_compress_bound(compressor.get(), plain.size()));
  compressed.resize(
      libdeflate_gzip_compress(compressor.get(), plain.data(), plain.size(), compressed.data(), compressed.size()));
  return compressed;
}

}  // namespace plume::unet

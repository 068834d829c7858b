// libtiff's handle, on memory, with its errors kept as text. Errors of libtiff are per handle here, because a process's
// own handlers are GDAL's, which may share the library.
#pragma once

#include <tiffio.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace plume::data {

class TiffHandle {
 public:
  // To read; largest_block bounds what libtiff takes from the heap at once. operator bool: whether it could be opened.
  TiffHandle(std::span<const std::byte> bytes, std::int64_t largest_block);
  // To write; big: as BigTIFF, which may have more than 4 GiB.
  explicit TiffHandle(bool big);
  ~TiffHandle();
  TiffHandle(const TiffHandle&) = delete;
  TiffHandle& operator=(const TiffHandle&) = delete;

  explicit operator bool() const { return tiff_ != nullptr; }
  operator ::TIFF*() const { return tiff_; }

  // The first error since the beginning, on one line; empty where there was none.
  [[nodiscard]] const std::string& error() const { return error_; }

  // Ends writing; false where that failed.
  [[nodiscard]] bool finish();
  [[nodiscard]] std::vector<std::byte> take() { return std::move(written_); }

 private:
  struct Calls;
  void open(const char* mode, std::int64_t largest_block);
  [[nodiscard]] std::size_t size() const { return writing_ ? written_.size() : given_.size(); }

  std::span<const std::byte> given_;
  std::vector<std::byte> written_;
  bool writing_ = false;
  std::size_t place_ = 0;
  std::string error_;
  ::TIFF* tiff_ = nullptr;
};

}  // namespace plume::data

// What libtiff calls to read and write.
#include "data/images/tiff_handle.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

namespace plume::data {

struct TiffHandle::Calls {
  static TiffHandle& self(void* handle) { return *static_cast<TiffHandle*>(handle); }

  static tmsize_t read(void* handle, void* to, tmsize_t wanted) {
    TiffHandle& file = self(handle);
    const std::size_t left = file.size() - std::min(file.place_, file.size());
    const std::size_t count = std::min(left, static_cast<std::size_t>(std::max<tmsize_t>(wanted, 0)));
    const std::byte* from = file.writing_ ? file.written_.data() : file.given_.data();
    if (count > 0) std::memcpy(to, from + file.place_, count);
    file.place_ += count;
    return static_cast<tmsize_t>(count);
  }

  static tmsize_t write(void* handle, void* from, tmsize_t count) {
    TiffHandle& file = self(handle);
    if (!file.writing_) return 0;
    const std::size_t end = file.place_ + static_cast<std::size_t>(count);
    if (end > file.written_.size()) file.written_.resize(end);
    std::memcpy(file.written_.data() + file.place_, from, static_cast<std::size_t>(count));
    file.place_ = end;
    return count;
  }

  static toff_t seek(void* handle, toff_t offset, int whence) {
    TiffHandle& file = self(handle);
    if (whence == SEEK_CUR) offset += file.place_;
    if (whence == SEEK_END) offset += file.size();
    file.place_ = static_cast<std::size_t>(offset);
    return offset;
  }

  static int close(void*) { return 0; }
  static toff_t size(void* handle) { return self(handle).size(); }

  static int keep_error(::TIFF*, void* handle, const char*, const char* format, std::va_list arguments) {
    std::string& error = self(handle).error_;
    std::array<char, 200> text{};
    if (error.empty() && std::vsnprintf(text.data(), text.size(), format, arguments) > 0) error = text.data();
    std::replace_if(
        error.begin(), error.end(), [](unsigned char c) { return c < ' '; }, ' ');
    return 1;
  }
  static int ignore_warning(::TIFF*, void*, const char*, const char*, std::va_list) { return 1; }
};

TiffHandle::TiffHandle(std::span<const std::byte> bytes, std::int64_t largest_block) : given_(bytes) {
  open("rm", largest_block);
}

TiffHandle::TiffHandle(bool big) : writing_(true) {
  open(big ? "w8" : "w", 0);
}

void TiffHandle::open(const char* mode, std::int64_t largest_block) {
  TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options, Calls::keep_error, this);
  TIFFOpenOptionsSetWarningHandlerExtR(options, Calls::ignore_warning, this);
  if (largest_block > 0) TIFFOpenOptionsSetMaxSingleMemAlloc(options, largest_block);
  tiff_ = TIFFClientOpenExt("memory", mode, this, Calls::read, Calls::write, Calls::seek, Calls::close, Calls::size,
                            nullptr, nullptr, options);
  TIFFOpenOptionsFree(options);
}

bool TiffHandle::finish() {
  const bool flushed = TIFFFlush(tiff_) != 0;
  TIFFClose(std::exchange(tiff_, nullptr));
  return flushed && error_.empty();
}

TiffHandle::~TiffHandle() {
  if (tiff_ != nullptr) TIFFClose(tiff_);
}

}  // namespace plume::data

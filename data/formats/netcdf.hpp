// NetCDF files with their endings assured, the lock that NetCDF-C needs, and its errors in our own messages.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "data/formats/chunked_image.hpp"
#include "data/formats/netcdf_api.hpp"
#include "data/formats/window.hpp"

namespace plume::data {

// Whoever calls a function of netcdf() holds this: NetCDF-C is not thread-safe, whichever file a call is about. While
// it lives, the HDF5 beneath prints nothing.
class NetcdfLock {
 public:
  // Throws environment_error where NetCDF-C cannot be opened.
  NetcdfLock();

 private:
  std::scoped_lock<std::mutex> lock_;
};

// NetCDF's name for a type of C++.
template <class T>
[[nodiscard]] constexpr nc_type netcdf_type() {
  if constexpr (std::is_same_v<T, float>) return NC_FLOAT;
  if constexpr (std::is_same_v<T, double>) return NC_DOUBLE;
  constexpr std::size_t size = std::is_integral_v<T> ? sizeof(T) : 0;
  if constexpr (size == 1) return std::is_signed_v<T> ? NC_BYTE : NC_UBYTE;
  if constexpr (size == 2) return std::is_signed_v<T> ? NC_SHORT : NC_USHORT;
  if constexpr (size == 4) return std::is_signed_v<T> ? NC_INT : NC_UINT;
  if constexpr (size == 8) return std::is_signed_v<T> ? NC_INT64 : NC_UINT64;
}

struct NetcdfVariable {
  std::string name{};
  int id = -1;
  nc_type type = NC_NAT;
  std::vector<std::size_t> shape{};  // empty: one value
  std::vector<std::size_t> chunk{};  // of the shape's length; empty where it is not stored in chunks
};

// A file open for reading. Its calls may come from any thread, and wait for each other; windows do so only while their
// bytes are fetched, where they are stored as ChunkedImage reads them.
class NetcdfFile {
 public:
  // Throws input_error naming the file (missing, no NetCDF, cut short); environment_error where NetCDF-C is absent.
  explicit NetcdfFile(const std::filesystem::path& path);
  ~NetcdfFile();
  NetcdfFile(const NetcdfFile&) = delete;
  NetcdfFile& operator=(const NetcdfFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  [[nodiscard]] std::optional<NetcdfVariable> find(const std::string& name) const;
  // Throws input_error where there is no such variable.
  [[nodiscard]] NetcdfVariable variable(const std::string& name) const;

  // An attribute's numbers, or its text; empty where there is none of that name and kind.
  // Of the file itself where the variable is null.
  [[nodiscard]] std::vector<double> numbers(const NetcdfVariable* variable, const std::string& name) const;
  [[nodiscard]] std::string text(const NetcdfVariable* variable, const std::string& name) const;
  // The one number of an attribute. Throws input_error where it is none.
  [[nodiscard]] double number(const NetcdfVariable& variable, const std::string& name) const;

  // All values of a variable of rank 0 or 1, as stored. Throws input_error where it has another rank, or more values
  // than `most`.
  [[nodiscard]] std::vector<double> values(const NetcdfVariable& variable, std::size_t most) const;
  // The value of a variable that has one. Throws input_error where it is missing or has another number of them.
  [[nodiscard]] double scalar(const std::string& name) const;

  // A window of a variable [height, width] of element type T, signed or not, to target [window.height, window.width].
  // Throws input_error for another type or rank, a window that is not inside, and data that cannot be read.
  template <class T>
  void read(const NetcdfVariable& variable, const PixelWindow& window, T* target) const {
    read(variable, window, netcdf_type<std::make_signed_t<T>>(), netcdf_type<std::make_unsigned_t<T>>(), target);
  }

 private:
  void read(const NetcdfVariable& variable, const PixelWindow& window, nc_type one, nc_type other, void* target) const;
  void check(int status, const std::string& what) const;
  // Null where the variable is not stored in that way.
  [[nodiscard]] const ChunkedImage* chunked_image(const NetcdfVariable& variable) const;

  std::filesystem::path path_;
  int id_ = -1;
  mutable std::mutex mutex_;                                                   // guards what follows
  mutable std::map<int, std::unique_ptr<const ChunkedImage>> chunked_images_;  // by variable that was read
};

}  // namespace plume::data

// One ABI file: its image in physical units, where it was looking, and when.
// Source: GOES-R Product Definition and Users' Guide (PUG), volume 3 (L1b radiances) and 5 (CMIP, FDC).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/abi/file_name.hpp"
#include "data/formats/window.hpp"
#include "data/geo/geostationary.hpp"

namespace plume::data::abi {

inline constexpr int channels = 16;
inline constexpr int reflective_channels = 6;  // C01..C06; the others emit

// What a granule's values are.
enum class Quantity {
  radiance,                // as L1b files store it: W m-2 sr-1 um-1 (C01..C06) or mW m-2 sr-1 (cm-1)-1 (C07..C16)
  reflectance,             // reflectance factor, 1 for a white surface under a zenith sun
  brightness_temperature,  // kelvin
  fire_mask,               // FDC's categories; 10..15 and 30..35 are fires
};

// "reflectance", "brightness temperature", ...
[[nodiscard]] std::string name_of(Quantity quantity);

// Reads L1b-Rad (as reflectance or brightness temperature), L2-CMIP (the same, computed by NOAA) and L2-FDC (fires).
// Its calls may come from any thread, and wait for those of other granules.
class Granule {
 public:
  // Reads all but the pixels. Throws input_error naming the file: not there, damaged, a name that is no ABI file's
  // (parse_file_name), another product, another channel or satellite than the name says, a variable or attribute
  // that is missing or impossible, larger than a full disk.
  explicit Granule(const std::filesystem::path& path);
  ~Granule();
  Granule(Granule&&) noexcept;
  Granule& operator=(Granule&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] const FileName& name() const { return name_; }
  [[nodiscard]] const geo::FixedGrid& grid() const { return grid_; }
  [[nodiscard]] PixelWindow whole() const;
  [[nodiscard]] Quantity quantity() const { return quantity_; }

  // The values of a window, [height, width]; NaN where nothing was measured: the fill value, values outside of
  // valid_range, and pixels whose DQF is neither good, conditionally usable nor out of range (as fires in C07 are).
  // Categories of a fire mask are given whatever their DQF, which says the same again.
  // Throws input_error where the data cannot be read.
  [[nodiscard]] std::vector<float> read(const PixelWindow& window) const { return read(window, values_); }

  // The same before calibration. Throws std::logic_error where the quantity has none (L2).
  [[nodiscard]] std::vector<float> read_radiance(const PixelWindow& window) const;

 private:
  // Indexed by the 16 bits of a stored pixel.
  using Table = std::vector<float>;
  using ExactTable = std::vector<double>;

  [[nodiscard]] ExactTable unpacked() const;
  void to_reflectance(ExactTable& radiances) const;
  void to_brightness_temperature(ExactTable& radiances) const;
  [[nodiscard]] std::vector<float> read(const PixelWindow& window, const Table& table) const;

  struct Content;  // the file, its image and its flags
  std::unique_ptr<Content> content_;
  FileName name_;
  Quantity quantity_{};
  geo::FixedGrid grid_;
  Table radiances_;  // of L1b alone
  Table values_;
};

}  // namespace plume::data::abi

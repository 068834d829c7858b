// Tags that libtiff has no names for.
#include "data/images/geotiff_tags.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "data/images/text.hpp"

namespace plume::data {
namespace {

constexpr std::uint32_t pixel_scale_tag = 33550;
constexpr std::uint32_t tie_point_tag = 33922;
constexpr std::uint32_t transformation_tag = 34264;
constexpr std::uint32_t key_directory_tag = 34735;
constexpr std::uint32_t key_doubles_tag = 34736;
constexpr std::uint32_t key_text_tag = 34737;
constexpr std::uint32_t nodata_tag = 42113;

// A key and its values.
constexpr std::uint16_t raster_type_key = 1025;
constexpr std::uint16_t pixel_is_area = 1;
constexpr std::uint16_t pixel_is_point = 2;

// What a tag holds, however it is known to libtiff: to itself not at all, but GDAL in the same process may have taught
// it.
template <class T>
std::span<const T> values_of(::TIFF* tiff, std::uint32_t tag, TIFFDataType type) {
  const TIFFField* field = TIFFFindField(tiff, tag, TIFF_ANY);  // where there is none, that is no error
  if (field == nullptr || TIFFFieldDataType(field) != type) return {};
  const T* values = nullptr;
  if (TIFFFieldPassCount(field) == 0) {
    const bool found = type == TIFF_ASCII && TIFFGetField(tiff, tag, &values) != 0;
    return {values, found ? std::char_traits<char>::length(reinterpret_cast<const char*>(values)) : 0};
  }
  if (TIFFFieldReadCount(field) == TIFF_VARIABLE2) {
    std::uint32_t count = 0;
    return TIFFGetField(tiff, tag, &count, &values) != 0 ? std::span(values, count) : std::span<const T>();
  }
  std::uint16_t count = 0;
  return TIFFGetField(tiff, tag, &count, &values) != 0 ? std::span(values, count) : std::span<const T>();
}

std::string_view text_of(::TIFF* tiff, std::uint32_t tag) {
  const auto text = values_of<char>(tiff, tag, TIFF_ASCII);
  const std::string_view all(text.data(), text.size());
  return all.substr(0, all.find('\0'));
}

}  // namespace

Georeference read_geotiff_tags(::TIFF* tiff) {
  Georeference georeference;
  const auto directory = values_of<std::uint16_t>(tiff, key_directory_tag, TIFF_SHORT);
  const auto doubles = values_of<double>(tiff, key_doubles_tag, TIFF_DOUBLE);
  georeference.keys = {
      {directory.begin(), directory.end()}, {doubles.begin(), doubles.end()}, std::string(text_of(tiff, key_text_tag))};
  auto& transform = georeference.transform;
  const auto scale = values_of<double>(tiff, pixel_scale_tag, TIFF_DOUBLE);
  const auto tie = values_of<double>(tiff, tie_point_tag, TIFF_DOUBLE);
  const auto matrix = values_of<double>(tiff, transformation_tag, TIFF_DOUBLE);
  if (scale.size() >= 2 && tie.size() >= 6 && scale[0] != 0 && scale[1] != 0) {
    transform = {tie[3] - tie[0] * scale[0], scale[0], 0, tie[4] + tie[1] * scale[1], 0, -scale[1]};
  } else if (matrix.size() >= 8) {
    transform = {matrix[3], matrix[0], matrix[1], matrix[7], matrix[4], matrix[5]};
  } else {
    return georeference;
  }
  if (georeference.keys.value_of(raster_type_key) == pixel_is_point) {
    transform[0] -= 0.5 * (transform[1] + transform[2]);
    transform[3] -= 0.5 * (transform[4] + transform[5]);
  }
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(transform.begin(), transform.end(), finite)) transform = Georeference{}.transform;
  return georeference;
}

void write_geotiff_tags(::TIFF* tiff, const Georeference& georeference) {
  if (!georeference.present()) return;
  // As libgeotiff declares them.
  static const auto field = [](std::uint32_t tag, TIFFDataType type, bool count, const char* name) {
    return TIFFFieldInfo{
        tag, -1, -1, type, FIELD_CUSTOM, 1, static_cast<unsigned char>(count ? 1 : 0), const_cast<char*>(name)};
  };
  static const std::array<TIFFFieldInfo, 6> fields{field(pixel_scale_tag, TIFF_DOUBLE, true, "GeoPixelScale"),
                                                   field(tie_point_tag, TIFF_DOUBLE, true, "GeoTiePoints"),
                                                   field(transformation_tag, TIFF_DOUBLE, true, "GeoTransformation"),
                                                   field(key_directory_tag, TIFF_SHORT, true, "GeoKeyDirectory"),
                                                   field(key_doubles_tag, TIFF_DOUBLE, true, "GeoDoubleParams"),
                                                   field(key_text_tag, TIFF_ASCII, false, "GeoASCIIParams")};
  TIFFMergeFieldInfo(tiff, fields.data(), static_cast<std::uint32_t>(fields.size()));

  const auto set = [&](std::uint32_t tag, const auto& values) {
    TIFFSetField(tiff, tag, static_cast<int>(values.size()), values.data());
  };
  const auto& t = georeference.transform;
  if (t[2] == 0 && t[4] == 0 && t[5] < 0) {
    set(pixel_scale_tag, std::array{t[1], -t[5], 0.0});
    set(tie_point_tag, std::array{0.0, 0.0, 0.0, t[0], t[3], 0.0});
  } else {
    set(transformation_tag,
        std::array{t[1], t[2], 0.0, t[0], t[4], t[5], 0.0, t[3], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0});
  }
  GeoKeys keys = georeference.keys;
  if (keys.directory.empty()) return;
  // The transform above is of pixels' corners, whatever the file that it was read from had.
  for (std::size_t entry = 4; entry + 4 <= keys.directory.size(); entry += 4) {
    if (keys.directory[entry] == raster_type_key) keys.directory[entry + 3] = pixel_is_area;
  }
  set(key_directory_tag, keys.directory);
  if (!keys.doubles.empty()) set(key_doubles_tag, keys.doubles);
  if (!keys.text.empty()) TIFFSetField(tiff, key_text_tag, keys.text.c_str());
}

std::optional<double> read_nodata_tag(::TIFF* tiff) {
  const std::string_view text = trimmed(text_of(tiff, nodata_tag));
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace plume::data

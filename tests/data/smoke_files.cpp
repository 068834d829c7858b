// Writing HMS-like files.
#include "smoke_files.hpp"

#include <fmt/core.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "../scratch_folder.hpp"

namespace plume::tests {
namespace {

void little(std::string& bytes, auto value) {
  std::array<char, sizeof(value)> raw{};
  std::memcpy(raw.data(), &value, sizeof(value));
  bytes.append(raw.data(), raw.size());
}

void big(std::string& bytes, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
}

constexpr std::int32_t polygon_type = 5;

// Of .shp and .shx. Sizes there count words of 16 bits.
std::string header(std::size_t file_bytes) {
  std::string bytes;
  big(bytes, 9994);
  bytes.append(20, '\0');
  big(bytes, file_bytes / 2);
  little(bytes, std::int32_t{1000});
  little(bytes, polygon_type);
  for (const double bound : {-180.0, -90.0, 180.0, 90.0, 0.0, 0.0, 0.0, 0.0}) little(bytes, bound);
  return bytes;
}

std::string shape(const SmokeRecord& record) {
  std::string bytes;
  little(bytes, polygon_type);
  for (const double bound : {-180.0, -90.0, 180.0, 90.0}) little(bytes, bound);
  std::int32_t points = 0;
  std::string starts;
  std::string coordinates;
  for (const auto& ring : record.rings) {
    little(starts, points);
    points += static_cast<std::int32_t>(ring.size());
    for (const auto point : ring) {
      little(coordinates, point.longitude);
      little(coordinates, point.latitude);
    }
  }
  little(bytes, static_cast<std::int32_t>(record.rings.size()));
  little(bytes, points);
  return bytes + starts + coordinates;
}

std::string table(const std::vector<SmokeRecord>& records, const std::string& density_field) {
  constexpr std::size_t width = 15;
  const std::array<std::string, 3> names{"Start", "End", density_field};
  std::string bytes("\x03\x7c\x01\x01", 4);
  little(bytes, static_cast<std::uint32_t>(records.size()));
  little(bytes, static_cast<std::uint16_t>(32 + 32 * names.size() + 1));
  little(bytes, static_cast<std::uint16_t>(1 + width * names.size()));
  bytes.append(20, '\0');
  for (auto name : names) {
    name.resize(11);
    bytes += name + 'C' + std::string(4, '\0') + static_cast<char>(width) + std::string(15, '\0');
  }
  bytes += '\r';
  for (const auto& record : records)
    bytes += ' ' + fmt::format("{:15}{:15}{:15}", record.start, record.end, record.density);
  return bytes + '\x1a';
}

}  // namespace

void write_shapefile(const std::filesystem::path& path, const std::vector<SmokeRecord>& records,
                     const std::string& density_field) {
  std::string shapes;
  std::string index;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto content = shape(records[i]);
    big(index, (100 + shapes.size()) / 2);
    big(index, content.size() / 2);
    big(shapes, i + 1);
    big(shapes, content.size() / 2);
    shapes += content;
  }
  auto other = path;
  write_file(path, header(100 + shapes.size()) + shapes);
  write_file(other.replace_extension(".shx"), header(100 + index.size()) + index);
  write_file(other.replace_extension(".dbf"), table(records, density_field));
}

void write_geojson(const std::filesystem::path& path, const std::vector<SmokeRecord>& records) {
  std::string text;
  for (const auto& record : records) {
    std::string rings;
    for (const auto& ring : record.rings) {
      std::string points;
      for (const auto point : ring)
        points += fmt::format("{}[{},{}]", points.empty() ? "" : ",", point.longitude, point.latitude);
      rings += fmt::format("{}[{}]", rings.empty() ? "" : ",", points);
    }
    text += fmt::format(R"({}{{"type":"Feature","properties":{{"Density":"{}","Start":"{}","End":"{}"}},)"
                        R"("geometry":{{"type":"Polygon","coordinates":[{}]}}}})",
                        text.empty() ? "" : ",", record.density, record.start, record.end, rings);
  }
  write_file(path, R"({"type":"FeatureCollection","features":[)" + text + "]}");
}

}  // namespace plume::tests

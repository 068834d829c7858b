// Reading HMS files through OGR, GDAL's half for vectors.
#include "data/hms/polygons.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "data/formats/gdal.hpp"
#include "data/geo/projection.hpp"
#include "data/hms/rings.hpp"
#include "data/images/text.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

using Path = std::filesystem::path;

GdalDataset open_vectors(const Path& path, const GdalErrors& errors) {
  if (!std::filesystem::is_regular_file(path)) throw input_error("cannot read {}: no such file", path.string());
  if (lower_case(path.extension().string()) == ".shp") {
    // GDAL would read the outlines alone.
    auto table = path;
    if (!std::filesystem::exists(table.replace_extension(".dbf")) &&
        !std::filesystem::exists(table.replace_extension(".DBF")))
      throw input_error("{} comes without its .dbf, which holds density and times; put both into one folder",
                        path.string());
  }
  const std::array<const char*, 5> drivers{"ESRI Shapefile", "LIBKML", "KML", "GeoJSON", nullptr};
  GdalDataset dataset(gdal().open(path.c_str(), GDAL_OF_VECTOR | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                                  drivers.data(), nullptr, nullptr));
  if (!dataset) throw input_error("cannot read {} as a shapefile, KML or GeoJSON: {}", path.string(), errors.text());
  return dataset;
}

// The rest of the line that begins with `key` in KML's description, whose lines end in <br> or another tag.
std::optional<std::string> described(const std::string& description, std::string_view key) {
  const auto at = lower_case(description).find(key);
  if (at == std::string::npos) return std::nullopt;
  auto rest = std::string_view(description).substr(at + key.size());
  // The key itself may be set in bold: "<b>Density: </b>5<br />".
  while (trimmed(rest).starts_with("</")) rest = rest.substr(std::min(rest.find('>'), rest.size() - 1) + 1);
  return std::string(trimmed(rest.substr(0, std::min(rest.find_first_of("<\n"), rest.size()))));
}

// "Smoke (Light)" is the folder of all light smoke in older KML.
std::optional<std::string> named_density(const std::string& layer) {
  const auto open = layer.find('(');
  const auto close = layer.find(')', open);
  if (close == std::string::npos) return std::nullopt;
  return layer.substr(open + 1, close - open - 1);
}

struct FeatureDestroy {
  void operator()(void* feature) const { gdal().feature_destroy(feature); }
};
using Feature = std::unique_ptr<void, FeatureDestroy>;

// Reads the features of one layer.
class LayerReader {
 public:
  LayerReader(const Path& path, OGRLayerH layer, bool kml)
      : path_(path),
        layer_(layer),
        kml_(kml),
        name_(gdal().layer_get_name(layer)),
        to_degrees_(geo::to_geographic(gdal().layer_get_spatial_ref(layer))) {}

  void read(std::vector<SmokePolygon>& polygons, const GdalErrors& errors) {
    gdal().layer_reset_reading(layer_);
    while (const Feature feature{gdal().layer_get_next_feature(layer_)}) {
      record_ = gdal().feature_get_fid(feature.get());
      auto parts = parts_of(gdal().feature_get_geometry_ref(feature.get()));
      if (errors.any()) throw damaged(errors);
      if (parts.empty()) {
        if (kml_) continue;
        throw bad("holds no polygon");
      }
      polygons.push_back(attributes(feature.get()));
      polygons.back().parts = std::move(parts);
    }
    if (errors.any()) throw damaged(errors);
  }

 private:
  [[nodiscard]] Error bad(std::string_view what) const {
    return input_error("{}: record {} {}", path_.string(), record_, what);
  }

  [[nodiscard]] Error damaged(const GdalErrors& errors) const {
    return input_error("{} is damaged near record {}: {}", path_.string(), record_ + 1, errors.text());
  }

  std::vector<std::vector<Ring>> parts_of(OGRGeometryH geometry) {
    std::vector<std::vector<Ring>> parts;
    if (geometry != nullptr) collect(geometry, parts);
    for (auto& part : parts) {
      if (const auto fault = make_continuous(part)) throw bad(*fault);
    }
    return parts;
  }

  void collect(OGRGeometryH geometry, std::vector<std::vector<Ring>>& parts) {
    const int count = gdal().geometry_get_geometry_count(geometry);
    if (gdal().geometry_flat_type(gdal().geometry_get_geometry_type(geometry)) != wkbPolygon) {
      for (int i = 0; i < count; ++i) collect(gdal().geometry_get_geometry_ref(geometry, i), parts);
      return;
    }
    auto& part = parts.emplace_back();
    for (int i = 0; i < count; ++i) part.push_back(ring_of(gdal().geometry_get_geometry_ref(geometry, i)));
  }

  [[nodiscard]] Ring ring_of(OGRGeometryH geometry) const {
    Ring ring(static_cast<std::size_t>(gdal().geometry_get_point_count(geometry)));
    std::vector<double> x(ring.size());
    std::vector<double> y(ring.size());
    for (std::size_t i = 0; i < ring.size(); ++i) {
      x[i] = gdal().geometry_get_x(geometry, static_cast<int>(i));
      y[i] = gdal().geometry_get_y(geometry, static_cast<int>(i));
    }
    if (to_degrees_) (*to_degrees_)(x, y);
    for (std::size_t i = 0; i < ring.size(); ++i) ring[i] = {x[i], y[i]};
    return ring;
  }

  static std::optional<std::string> field(OGRFeatureH feature, const char* name) {
    const int index = gdal().feature_get_field_index(feature, name);
    if (index < 0) return std::nullopt;
    return gdal().feature_get_field_as_string(feature, index);
  }

  SmokePolygon attributes(OGRFeatureH feature) const {
    const auto description = kml_ ? field(feature, "description").value_or("") : "";
    // In KML `end` is a field of OGR's own, so the description goes first.
    const auto text = [&](const char* name, std::string_view key) {
      auto value = described(description, key);
      return value ? value : field(feature, name);
    };
    auto density = text("Density", "density:");
    if (!density && kml_) density = named_density(name_);
    if (!density) throw bad("has no Density; HMS's files have the fields Density, Start and End");
    SmokePolygon polygon;
    const auto known = smoke_density_from_text(*density);
    if (!known) throw bad(fmt::format("has the density '{}'; it is Light, Medium or Heavy, or 5, 16 or 27", *density));
    polygon.density = *known;
    polygon.seen = {time("Start", text("Start", "start time:")), time("End", text("End", "end time:"))};
    if (polygon.seen.last < polygon.seen.first) throw bad("ends before it starts");
    return polygon;
  }

  [[nodiscard]] UtcTime time(const char* name, const std::optional<std::string>& text) const {
    if (!text) throw bad(fmt::format("has no {}; HMS's files have the fields Density, Start and End", name));
    const auto parsed = parse_hms_time(*text);
    if (!parsed) throw bad(fmt::format("has the {} '{}', which is no time YYYYDDD HHMM", name, *text));
    return *parsed;
  }

  const Path& path_;
  OGRLayerH layer_;
  bool kml_;
  std::string name_;
  std::optional<geo::Transformation> to_degrees_;  // none: the file's coordinates are degrees
  GIntBig record_ = -1;
};

}  // namespace

std::optional<SmokeDensity> smoke_density_from_text(std::string_view text) {
  const auto name = lower_case(trimmed(text));
  if (name == "light") return SmokeDensity::light;
  if (name == "medium") return SmokeDensity::medium;
  if (name == "heavy") return SmokeDensity::heavy;
  double value = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (failed != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  if (value == 5) return SmokeDensity::light;
  if (value == 16) return SmokeDensity::medium;
  if (value == 27) return SmokeDensity::heavy;
  return std::nullopt;
}

std::vector<SmokePolygon> read_smoke_polygons(const Path& path) {
  const GdalErrors errors;
  const auto dataset = open_vectors(path, errors);
  const bool kml = lower_case(path.extension().string()) == ".kml";
  std::vector<SmokePolygon> polygons;
  for (int i = 0; i < gdal().dataset_get_layer_count(dataset.get()); ++i)
    LayerReader(path, gdal().dataset_get_layer(dataset.get(), i), kml).read(polygons, errors);
  if (errors.any()) throw input_error("{} is damaged: {}", path.string(), errors.text());
  return polygons;
}

}  // namespace plume::data

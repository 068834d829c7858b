// OGR's spatial references and coordinate transformations, longitude always first.
#include "data/geo/projection.hpp"

#include <limits>
#include <stdexcept>
#include <vector>

#include "data/formats/gdal.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::geo {
namespace {

struct DestroySpatialReference {
  void operator()(void* reference) const { gdal().destroy_spatial_reference(reference); }
};
using SpatialReference = std::unique_ptr<void, DestroySpatialReference>;

// Null where GDAL knows none such; why, the caller's GdalErrors have.
SpatialReference spatial_reference(const std::string& definition) {
  SpatialReference reference(gdal().new_spatial_reference(nullptr));
  if (gdal().set_from_user_input(reference.get(), definition.c_str()) != OGRERR_NONE) return nullptr;
  gdal().set_axis_mapping_strategy(reference.get(), OAMS_TRADITIONAL_GIS_ORDER);
  return reference;
}

SpatialReference named_by_user(const std::string& definition) {
  const GdalErrors errors;
  auto reference = spatial_reference(definition);
  if (!reference) throw usage_error("'{}' is no projection: {}; write it as EPSG:4326", definition, errors.text());
  return reference;
}

SpatialReference geographic() {
  const GdalErrors errors;
  auto reference = spatial_reference("EPSG:4326");
  if (!reference) throw environment_error("GDAL does not find PROJ's data base: {}", errors.text());
  return reference;
}

}  // namespace

std::string wkt_of(const std::string& definition) {
  const auto reference = named_by_user(definition);
  char* text = nullptr;
  gdal().export_to_wkt(reference.get(), &text);
  std::string wkt = text == nullptr ? "" : text;
  gdal().free(text);
  return wkt;
}

Transformation::Transformation(OGRCoordinateTransformationH owned) : transformation_(owned) {
  if (owned == nullptr) throw std::logic_error("a transformation of coordinates that GDAL did not make");
}

void Transformation::operator()(std::span<double> x, std::span<double> y) const {
  const GdalErrors silenced;
  const auto count = static_cast<int>(x.size());
  std::vector<int> done(x.size());
  gdal().transform(transformation_.get(), count, x.data(), y.data(), nullptr, done.data());
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (done[i] == 0) x[i] = y[i] = std::numeric_limits<double>::quiet_NaN();
  }
}

Transformation from_geographic(const std::string& definition) {
  const auto source = geographic();
  const auto target = named_by_user(definition);
  const GdalErrors errors;
  void* const transformation = gdal().new_coordinate_transformation(source.get(), target.get());
  if (transformation == nullptr)
    throw usage_error("'{}' cannot be related to longitude and latitude: {}", definition, errors.text());
  return Transformation(transformation);
}

std::optional<Transformation> to_geographic(const std::string& definition) {
  if (definition.empty()) return std::nullopt;
  const GdalErrors errors;
  const auto source = spatial_reference(definition);
  if (!source) throw input_error("a projection that GDAL does not know: {}", errors.text());
  return to_geographic(source.get());
}

std::optional<Transformation> to_geographic(OGRSpatialReferenceH source) {
  if (source == nullptr || gdal().is_geographic(source) != 0) return std::nullopt;
  const auto target = geographic();
  const GdalErrors errors;
  gdal().set_axis_mapping_strategy(source, OAMS_TRADITIONAL_GIS_ORDER);
  void* const transformation = gdal().new_coordinate_transformation(source, target.get());
  if (transformation == nullptr)
    throw input_error("no way from this projection to longitude and latitude: {}", errors.text());
  return Transformation(transformation);
}

}  // namespace plume::data::geo

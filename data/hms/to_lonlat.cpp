// OGR's coordinate transformations, longitude always first.
#include "data/hms/to_lonlat.hpp"

#include "data/gdal.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

struct ReferenceDestroy {
  void operator()(void* reference) const { gdal().destroy_spatial_reference(reference); }
};
using Reference = std::unique_ptr<void, ReferenceDestroy>;

Reference reference_of(const char* definition) {
  Reference reference(gdal().new_spatial_reference(nullptr));
  if (gdal().set_from_user_input(reference.get(), definition) != OGRERR_NONE) reference.reset();
  return reference;
}

}  // namespace

ToLonLat::ToLonLat(OGRSpatialReferenceH source) {
  if (source != nullptr && gdal().is_geographic(source) == 0) prepare(source);
}

ToLonLat::ToLonLat(const std::string& well_known_text) {
  if (well_known_text.empty()) return;
  const GdalErrors errors;
  const auto source = reference_of(well_known_text.c_str());
  if (!source) throw input_error("a projection that GDAL does not know: {}", errors.text());
  if (gdal().is_geographic(source.get()) == 0) prepare(source.get());
}

void ToLonLat::prepare(OGRSpatialReferenceH source) {
  const GdalErrors errors;
  const auto target = reference_of("EPSG:4326");
  if (!target) throw environment_error("GDAL does not find PROJ's data base: {}", errors.text());
  gdal().set_axis_mapping_strategy(source, OAMS_TRADITIONAL_GIS_ORDER);
  gdal().set_axis_mapping_strategy(target.get(), OAMS_TRADITIONAL_GIS_ORDER);
  transformation_.reset(gdal().new_coordinate_transformation(source, target.get()));
  if (!transformation_) throw input_error("no way from this projection to longitude and latitude: {}", errors.text());
}

bool ToLonLat::convert(OGRGeometryH geometry) const {
  if (changes_nothing()) return true;
  const GdalErrors errors;
  return gdal().geometry_transform(geometry, transformation_.get()) == OGRERR_NONE;
}

void ToLonLat::convert(std::size_t count, double* x, double* y) const {
  if (changes_nothing()) return;
  const GdalErrors errors;
  gdal().transform(transformation_.get(), static_cast<int>(count), x, y, nullptr, nullptr);
}

}  // namespace plume::data

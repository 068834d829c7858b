// OGR's spatial references and coordinate transformations.
#include "data/geo/projection.hpp"

#include <limits>
#include <vector>

#include "data/formats/gdal.hpp"
#include "kernels/base/error.hpp"

namespace plume::data::geo {
namespace {

struct DestroySpatialReference {
  void operator()(void* reference) const { gdal().destroy_spatial_reference(reference); }
};
using SpatialReference = std::unique_ptr<void, DestroySpatialReference>;

SpatialReference spatial_reference(const std::string& definition) {
  const GdalErrors errors;
  SpatialReference reference(gdal().new_spatial_reference(nullptr));
  if (!reference || gdal().set_from_user_input(reference.get(), definition.c_str()) != OGRERR_NONE)
    throw usage_error("'{}' is no projection: {}; write it as EPSG:4326", definition, errors.text());
  gdal().set_axis_mapping_strategy(reference.get(), OAMS_TRADITIONAL_GIS_ORDER);
  return reference;
}

}  // namespace

std::string wkt_of(const std::string& definition) {
  const auto reference = spatial_reference(definition);
  char* text = nullptr;
  gdal().export_to_wkt(reference.get(), &text);
  std::string wkt = text == nullptr ? "" : text;
  gdal().free(text);
  return wkt;
}

Transformation::Transformation(const std::string& definition, Direction direction) {
  const auto projected = spatial_reference(definition);
  const auto geographic = spatial_reference("EPSG:4326");
  const bool forth = direction == Direction::to_geographic;
  const GdalErrors errors;
  transformation_ = gdal().new_coordinate_transformation(forth ? projected.get() : geographic.get(),
                                                         forth ? geographic.get() : projected.get());
  if (transformation_ == nullptr)
    throw usage_error("'{}' cannot be related to longitude and latitude: {}", definition, errors.text());
}

Transformation::~Transformation() {
  gdal().destroy_coordinate_transformation(transformation_);
}

void Transformation::operator()(std::span<double> x, std::span<double> y) const {
  const GdalErrors silenced;
  const auto count = static_cast<int>(x.size());
  std::vector<int> done(x.size());
  gdal().transform(transformation_, count, x.data(), y.data(), nullptr, done.data());
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (done[i] == 0) x[i] = y[i] = std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace plume::data::geo

// From a map projection's coordinates to longitude and latitude, by OGR.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "data/gdal_api.hpp"

namespace plume::data {

// Without a projection (none named, or longitude and latitude already) it changes nothing. For one thread at a time.
class ToLonLat {
 public:
  explicit ToLonLat(OGRSpatialReferenceH source);  // null: none
  // Throws input_error where the text is no projection that GDAL knows.
  explicit ToLonLat(const std::string& well_known_text);

  [[nodiscard]] bool changes_nothing() const { return transformation_ == nullptr; }

  // In place; false where the projection does not reach some point.
  [[nodiscard]] bool convert(OGRGeometryH geometry) const;
  // x and y [count] to longitudes and latitudes; infinity where the projection does not reach, as beyond the Earth's rim.
  void convert(std::size_t count, double* x, double* y) const;

 private:
  void prepare(OGRSpatialReferenceH source);

  struct Destroy {
    void operator()(void* transformation) const { gdal().destroy_coordinate_transformation(transformation); }
  };
  std::unique_ptr<void, Destroy> transformation_;
};

}  // namespace plume::data

// Asks HDF5 and GDAL for their versions.
#include "data/libraries.hpp"

#include <fmt/core.h>
#include <gdal.h>
#include <hdf5.h>

namespace plume::data {

std::vector<Library> libraries() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return {{"HDF5", fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE),
           fmt::format("{}.{}.{}", major, minor, release)},
          {"GDAL", GDAL_RELEASE_NAME, GDALVersionInfo("RELEASE_NAME")}};
}

}  // namespace plume::data

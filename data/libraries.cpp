// Asks HDF5, libpng and GDAL for their versions.
#include "data/libraries.hpp"

#include <fmt/core.h>
#include <hdf5.h>
#include <png.h>

#include "data/gdal_api.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

Library opened_gdal() {
  try {
    return {"GDAL", GDAL_RELEASE_NAME, gdal().version_info("RELEASE_NAME"), ""};
  } catch (const Error& error) {
    return {"GDAL", GDAL_RELEASE_NAME, "", error.what()};
  }
}

}  // namespace

std::vector<Library> libraries() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  return {{"HDF5", fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE),
           fmt::format("{}.{}.{}", major, minor, release), ""},
          {"libpng", PNG_LIBPNG_VER_STRING, png_get_libpng_ver(nullptr), ""},
          opened_gdal()};
}

}  // namespace plume::data

// Asks HDF5, libpng, GDAL and NetCDF-C for their versions.
#include "data/libraries.hpp"

#include <fmt/core.h>
#include <hdf5.h>
#include <netcdf_meta.h>
#include <png.h>

#include "data/formats/gdal_api.hpp"
#include "data/formats/netcdf.hpp"
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

// "4.9.0 of Jan  1 2023 ..." to its first word.
Library opened_netcdf() {
  try {
    const NetcdfLock lock;
    const std::string version = netcdf().version_info();
    return {"NetCDF", NC_VERSION, version.substr(0, version.find(' ')), ""};
  } catch (const Error& error) {
    return {"NetCDF", NC_VERSION, "", error.what()};
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
          opened_gdal(),
          opened_netcdf()};
}

}  // namespace plume::data

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

template <class Version>
void open(Library& library, const Version& version) {
  try {
    library.loaded = version();
  } catch (const Error& error) {
    library.failure = error.what();
  }
}

}  // namespace

std::vector<Library> libraries_built_with() {
  return {{"HDF5", fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE), "", ""},
          {"libpng", PNG_LIBPNG_VER_STRING, "", ""},
          {"GDAL", GDAL_RELEASE_NAME, "", ""},
          {"NetCDF", NC_VERSION, "", ""}};
}

std::vector<Library> libraries() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  H5get_libversion(&major, &minor, &release);
  std::vector<Library> found = libraries_built_with();
  found[0].loaded = fmt::format("{}.{}.{}", major, minor, release);
  found[1].loaded = png_get_libpng_ver(nullptr);
  open(found[2], [] { return std::string(gdal().version_info("RELEASE_NAME")); });
  open(found[3], [] {
    const NetcdfLock lock;
    const std::string version = netcdf().version_info();
    return version.substr(0, version.find(' '));  // "4.9.0 of Jan  1 2023 ..."
  });
  return found;
}

}  // namespace plume::data

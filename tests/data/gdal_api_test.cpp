// A machine without GDAL, or with a library of its name that is something else.
#include "data/formats/gdal_api.hpp"

#include <gtest/gtest.h>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"

namespace plume::tests {
namespace {

TEST(GdalApi, ItsAbsenceIsOneLineWithWhatToInstall) {
  expect_error(
      ErrorKind::environment, [] { (void)data::open_gdal({"libgdal-of-nowhere.so"}); }, "GDAL",
      "libgdal-of-nowhere.so: cannot open", "install the package libgdal-dev");
}

TEST(GdalApi, WhatIsNoLibraryIsNamed) {
  const ScratchFolder folder;
  write_file(folder / "libgdal.so", "text");
  expect_error(
      ErrorKind::environment, [&] { (void)data::open_gdal({(folder / "libgdal.so").string()}); },
      (folder / "libgdal.so").string(), "libgdal-dev");
}

TEST(GdalApi, ALibraryWithoutItsFunctionsIsNamed) {
  expect_error(
      ErrorKind::environment, [] { (void)data::open_gdal({"libm.so.6"}); }, "libm.so.6 has no GDALVersionInfo");
}

TEST(GdalApi, TheFirstNameThatOpensIsTaken) {
  const data::GdalApi api =
      data::open_gdal({"libgdal-of-nowhere.so", PLUME_GDAL_LIBRARY, PLUME_GDAL_FOLDER "/" PLUME_GDAL_LIBRARY});
  EXPECT_EQ(api.version_info, data::gdal().version_info);
}

}  // namespace
}  // namespace plume::tests

// NetCDF-C beside plume's own HDF5, on machines without it, and files that are none.
#include "data/formats/netcdf.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <thread>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "small_granule.hpp"

namespace plume::tests {
namespace {

TEST(NetcdfApi, ItsAbsenceIsOneLineWithWhatToInstall) {
  expect_error(
      ErrorKind::environment, [] { (void)data::open_netcdf({"libnetcdf-of-nowhere.so"}); }, "NetCDF-C",
      "libnetcdf-of-nowhere.so: cannot open", "install the package libnetcdf-dev");
}

TEST(NetcdfApi, ALibraryWithoutItsFunctionsIsNamed) {
  expect_error(
      ErrorKind::environment, [] { (void)data::open_netcdf({"libm.so.6"}); }, "libm.so.6 has no nc_inq_libvers");
}

// Were HDF5 exported by this program, the loader would give NetCDF-C our functions in place of its library's.
TEST(NetcdfApi, ItsHdf5IsNotOurs) {
  EXPECT_EQ(::dlsym(RTLD_DEFAULT, "H5Fopen"), nullptr);
  EXPECT_NE(data::netcdf().version_info(), nullptr);
}

TEST(NetcdfFile, GivesVariablesAndAttributes) {
  const ScratchFolder folder;
  write_granule(folder / "a.nc");
  const data::NetcdfFile file(folder / "a.nc");
  const auto rad = file.variable("Rad");
  EXPECT_EQ(rad.shape, (std::vector<std::size_t>{6, 8}));
  EXPECT_EQ(rad.type, NC_SHORT);
  EXPECT_EQ(file.numbers(&rad, "valid_range"), (std::vector<double>{0, 1022}));
  EXPECT_EQ(file.number(rad, "add_offset"), -25);
  EXPECT_EQ(file.text(nullptr, "platform_ID"), "G17");
  EXPECT_EQ(file.text(&rad, "_Unsigned"), "true");
  EXPECT_EQ(file.text(&rad, "nowhere"), "");
  EXPECT_EQ(file.scalar("band_id"), 1);
  EXPECT_FALSE(file.find("CMI"));
  std::vector<std::uint16_t> part(6);
  file.read(rad, {.row = 2, .column = 3, .height = 2, .width = 3}, part.data());
  EXPECT_EQ(part, (std::vector<std::uint16_t>{119, 120, 121, 127, 128, 129}));
}

TEST(NetcdfFile, WhatIsAskedForInVainIsNamed) {
  const ScratchFolder folder;
  write_granule(folder / "a.nc");
  const data::NetcdfFile file(folder / "a.nc");
  const auto rad = file.variable("Rad");
  expect_input_error([&] { (void)file.variable("CMI"); }, "a.nc has no variable CMI");
  expect_input_error([&] { (void)file.number(rad, "nowhere"); }, "a.nc", "Rad has no number nowhere");
  expect_input_error([&] { (void)file.scalar("Rad"); }, "a.nc", "Rad has 48 values");
  std::vector<std::uint8_t> bytes(48);
  expect_input_error([&] { file.read(rad, {0, 0, 6, 8}, bytes.data()); }, "Rad", "type");
  std::vector<std::uint16_t> pixels(49);
  expect_input_error([&] { file.read(rad, {0, 0, 7, 7}, pixels.data()); }, "Rad", "window");
}

TEST(NetcdfFile, WhatIsNoneIsRefused) {
  const ScratchFolder folder;
  write_file(folder / "text.nc", "no NetCDF at all");
  write_granule(folder / "whole.nc");
  const auto bytes = read_file(folder / "whole.nc");
  write_file(folder / "cut.nc", bytes.substr(0, bytes.size() / 2));
  expect_input_error([&] { const data::NetcdfFile file(folder / "absent.nc"); }, "absent.nc: no such file");
  expect_input_error([&] { const data::NetcdfFile file(folder / ""); }, "is not a regular file");
  expect_input_error([&] { const data::NetcdfFile file(folder / "text.nc"); }, "text.nc is no NetCDF file");
  expect_input_error([&] { const data::NetcdfFile file(folder / "cut.nc"); }, "cut.nc", "cut short");
}

// HDF5 prints its own account of an error unless told not to, and is told by thread.
TEST(NetcdfFile, OnlyOurOwnLineIsPrintedFromAnyThread) {
  const ScratchFolder folder;
  write_granule(folder / "whole.nc");
  auto bytes = read_file(folder / "whole.nc");
  write_file(folder / "cut.nc", bytes.substr(0, bytes.size() / 2));
  testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    std::jthread([&] { expect_input_error([&] { const data::NetcdfFile file(folder / "cut.nc"); }, "cut.nc"); }).join();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace plume::tests

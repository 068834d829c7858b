// Every real ABI file against netCDF4-python and pyproj, which read it just before (tests/parity/abi.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "../python.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/abi/granule.hpp"
#include "data/abi/scaling.hpp"
#include "data/abi/summary.hpp"

namespace plume::tests {
namespace {

using data::abi::Granule;
using data::abi::Quantity;

std::vector<double> read_doubles(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::vector<double> values(bytes.size() / sizeof(double));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  return values;
}

// Fails unless both have the same gaps, and elsewhere values apart by no more than f32 can help.
void expect_same(const std::vector<float>& ours, const std::vector<double>& theirs, const char* what) {
  ASSERT_EQ(ours.size(), theirs.size()) << what;
  std::size_t gaps_apart = 0;
  double apart = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (std::isnan(ours[i]) != std::isnan(theirs[i])) ++gaps_apart;
    if (!std::isnan(theirs[i]))
      apart = std::max(apart, std::abs(double{ours[i]} - theirs[i]) / std::max(1e-30, std::abs(theirs[i])));
  }
  EXPECT_EQ(gaps_apart, 0U) << what;
  EXPECT_LE(apart, 6e-8) << what;  // half a unit in the last place
}

void expect_same_bytes(const std::vector<float>& ours, const std::vector<double>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  std::size_t apart = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!std::isnan(theirs[i]) && data::abi::byte_of_reflectance(double{ours[i]}) != theirs[i]) ++apart;
  }
  EXPECT_EQ(apart, 0U) << "bytes";
}

void expect_same_places(const data::geo::FixedGrid& grid, const std::vector<double>& longitude,
                        const std::vector<double>& latitude, double degrees) {
  const auto pixels = static_cast<std::size_t>(grid.y.count) * static_cast<std::size_t>(grid.x.count);
  ASSERT_EQ(longitude.size(), pixels);
  double apart = 0;
  std::size_t at = 0;
  for (int row = 0; row < grid.y.count; ++row) {
    for (int column = 0; column < grid.x.count; ++column, ++at) {
      const data::geo::ScanAngle angle{grid.x.first + column * grid.x.step, grid.y.first + row * grid.y.step};
      const auto place = grid.projection.place(angle);
      ASSERT_EQ(std::isnan(place.longitude), std::isnan(longitude[at])) << row << " " << column;
      if (std::isnan(place.longitude)) continue;
      const double around = std::remainder(place.longitude - longitude[at], 360);
      apart = std::max({apart, std::abs(around), std::abs(place.latitude - latitude[at])});
      const auto back = grid.projection.place(grid.projection.scan_angle({longitude[at], latitude[at]}));
      apart = std::max({apart, std::abs(back.longitude - longitude[at]), std::abs(back.latitude - latitude[at])});
    }
  }
  EXPECT_LE(apart, degrees) << "degrees";
}

struct Folder {
  const char* name;
  double degrees;  // that places may be apart; scan angles that were stored as f32 are rounded by up to 0.3 m
};

class AbiParity : public testing::TestWithParam<Folder> {};

TEST_P(AbiParity, EveryFileIsWhatNetcdf4AndPyprojMakeOfIt) {
  const auto folder = real_data() / GetParam().name;
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no real files at " << folder << "; set PLUME_DATA";
  if (!python_has("netCDF4, pyproj, numpy"))
    GTEST_SKIP() << python << " has no netCDF4 and pyproj (Debian: python3-netcdf4, python3-pyproj)";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    SCOPED_TRACE(entry.path().filename());
    const ScratchFolder scratch;
    const std::string command = python + " -B '" PLUME_SOURCE_DIR "/tests/parity/abi.py' '" + entry.path().string() +
                                "' '" + (scratch / "").string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    const Granule granule(entry.path());
    const auto values = granule.read(granule.whole());
    expect_same(values, read_doubles(scratch / "value"), "values");
    expect_same_places(granule.grid(), read_doubles(scratch / "longitude"), read_doubles(scratch / "latitude"),
                       GetParam().degrees);
    if (granule.quantity() == Quantity::fire_mask) continue;
    expect_same(granule.read_radiance(granule.whole()), read_doubles(scratch / "radiance"), "radiances");
    if (granule.quantity() == Quantity::reflectance) expect_same_bytes(values, read_doubles(scratch / "byte"));
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, AbiParity,
                         testing::Values(Folder{"goes17_kincade", 1e-9}, Folder{"goes17_night", 1e-5},
                                         Folder{"goes17_fire", 1e-9}),
                         [](const auto& info) { return std::string(info.param.name); });

// README of the data: about 399 K, the Kincade Fire.
TEST(AbiRealFiles, TheHottestPixelIsTheKincadeFire) {
  const auto path =
      real_data() / "goes17_kincade" / "OR_ABI-L1b-RadM1-M6C07_G17_s20193002000275_e20193002000344_c20193002000390.nc";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no real file at " << path << "; set PLUME_DATA";
  const auto summary = data::abi::summarize(Granule(path));
  EXPECT_NEAR(summary.most, 399, 0.5);
  EXPECT_NEAR(summary.place_of_most.latitude, 38.71, 0.01);
  EXPECT_NEAR(summary.place_of_most.longitude, -122.69, 0.01);
  EXPECT_EQ(summary.measured, 250000);
}

TEST(AbiRealFiles, TheFireMaskHoldsItsFires) {
  const auto path =
      real_data() / "goes17_fire" / "OR_ABI-L2-FDCC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no real file at " << path << "; set PLUME_DATA";
  EXPECT_EQ(data::abi::summarize(Granule(path)).fires, 43);
}

}  // namespace
}  // namespace plume::tests

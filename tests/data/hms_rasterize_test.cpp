// Polygons to cells and days to polygons: drawn cases, and NOAA's files against gdal_rasterize and ogrinfo.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/raster_read.hpp"
#include "data/hms/archive.hpp"
#include "data/hms/rasterize.hpp"
#include "data/hms/rings.hpp"
#include "data/hms/smoke_labels.hpp"
#include "smoke_files.hpp"

namespace plume::tests {
namespace {

using data::rasterize_smoke;
using data::Ring;
using data::SmokeDensity;
using data::SmokePolygon;
using Cells = std::vector<std::uint8_t>;
using namespace std::chrono_literals;

Ring box(double west, double south, double east, double north) {
  return {{west, north}, {east, north}, {east, south}, {west, south}, {west, north}};
}

SmokePolygon smoke(SmokeDensity density, std::vector<Ring> rings) {
  return {density, {}, {std::move(rings)}};
}

// North up, `degrees` a cell, its upper left corner at (west, north).
data::Georeference grid(double west, double north, double degrees) {
  return {"", {west, degrees, 0, north, 0, -degrees}};
}

constexpr double metres_per_degree = 6378137 * 3.14159265358979323846 / 180;

// The same cells in metres: PROJ's equidistant cylindrical projection maps degrees to metres by one factor.
data::Georeference metric(const data::Georeference& degrees) {
  data::Georeference metres{"+proj=eqc +datum=WGS84 +units=m", degrees.transform};
  for (double& value : metres.transform) value *= metres_per_degree;
  return metres;
}

// On both ways through the rasteriser.
void expect_cells(const std::vector<SmokePolygon>& polygons, int height, int width, const data::Georeference& place,
                  const Cells& expected) {
  EXPECT_EQ(rasterize_smoke(polygons, height, width, place), expected);
  EXPECT_EQ(rasterize_smoke(polygons, height, width, metric(place)), expected);
}

TEST(RasterizeSmoke, ACellBelongsToThePolygonThatHoldsItsCentre) {
  expect_cells({smoke(SmokeDensity::light, {box(0.4, -2.4, 2.6, 0)})}, 3, 4, grid(0, 0, 1),
               {1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0});
}

TEST(RasterizeSmoke, HolesPartsAndTheDensestWhereTheyOverlap) {
  const auto ring = smoke(SmokeDensity::heavy, {box(0, -3, 3, 0), box(1, -2, 2, -1)});
  expect_cells({ring}, 3, 3, grid(0, 0, 1), {3, 3, 3, 3, 0, 3, 3, 3, 3});
  const auto below = smoke(SmokeDensity::light, {box(0, -3, 2, 0)});
  // Whatever their order.
  expect_cells({ring, below}, 3, 3, grid(0, 0, 1), {3, 3, 3, 3, 1, 3, 3, 3, 3});
  SmokePolygon parts{SmokeDensity::medium, {}, {{box(0, -1, 2, 0)}, {box(1, -1, 3, 0)}}};
  expect_cells({parts}, 1, 4, grid(0, 0, 1), {2, 2, 2, 0});
}

TEST(RasterizeSmoke, RingsThatCrossThemselvesGoByEvenAndOdd) {
  // A bow tie of two triangles that meet in (2, -2).
  expect_cells({smoke(SmokeDensity::light, {{{0, 0}, {4, -4}, {4, 0}, {0, -4}}})}, 4, 4, grid(0.01, -0.02, 1),
               {1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0});
  expect_cells({smoke(SmokeDensity::light, {{{1, -1}}})}, 2, 2, grid(0, 0, 1), {0, 0, 0, 0});
}

TEST(RasterizeSmoke, AcrossTheDateLine) {
  const ScratchFolder folder;
  // Twice the same place: with a jump from 178 to -178 within the ring, and beyond 180.
  write_geojson(folder / "a.geojson", {{.rings = {{{178, 1}, {-178, 1}, {-178, -1}, {178, -1}, {178, 1}}}}});
  write_geojson(folder / "b.geojson", {{.rings = {box(178, -1, 182, 1)}}});
  for (const char* name : {"a.geojson", "b.geojson"}) {
    const auto polygons = data::read_smoke_polygons(folder / name);
    for (const double west : {176.0, -184.0})
      expect_cells(polygons, 1, 8, grid(west, 0.5, 1), {0, 0, 1, 1, 1, 1, 0, 0});
    expect_cells(polygons, 1, 3, grid(-180, 0.5, 1), {1, 1, 0});
    expect_cells(polygons, 1, 3, grid(177, 0.5, 1), {0, 1, 1});
  }
}

TEST(RasterizeSmoke, TilesOfAPolygonAreTheWholesParts) {
  const std::vector<SmokePolygon> polygons{
      smoke(SmokeDensity::medium, {{{-2.3, 3.1}, {9.7, 6.9}, {6.2, -8.8}, {-7.6, -4.4}}}),
      smoke(SmokeDensity::heavy, {{{1.1, 9.3}, {4.9, -3.7}, {-3.3, -6.1}}})};
  constexpr int half = 40;
  for (const bool metres : {false, true}) {
    const auto place = [&](double west, double north) {
      return metres ? metric(grid(west, north, 0.25)) : grid(west, north, 0.25);
    };
    const auto whole = rasterize_smoke(polygons, 2 * half, 2 * half, place(-10, 10));
    EXPECT_GT(std::accumulate(whole.begin(), whole.end(), 0), 1000);
    for (const int row : {0, 1}) {
      for (const int column : {0, 1}) {
        const auto tile = rasterize_smoke(polygons, half, half, place(-10 + 10 * column, 10 - 10 * row));
        for (int y = 0; y < half; ++y) {
          const auto* const expected = whole.data() + (row * half + y) * 2 * half + column * half;
          EXPECT_TRUE(std::equal(expected, expected + half, tile.data() + y * half)) << row << column << y;
        }
      }
    }
  }
}

TEST(RasterizeSmoke, OnTheSatellitesOwnGridSpaceIsNoSmoke) {
  // A full disk from 75 W in 100 x 100 cells, and smoke over all that it sees.
  const double edge = 5500000;
  const data::Georeference disk{"+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80 +units=m",
                                {-edge, edge / 50, 0, edge, 0, -edge / 50}};
  const auto all = rasterize_smoke(std::vector{smoke(SmokeDensity::heavy, {box(-170, -89, 20, 89)})}, 100, 100, disk);
  int smoky = 0;
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 100; ++x) {
      const double radius = std::hypot(x - 49.5, y - 49.5) * edge / 50;
      const auto cell = all[static_cast<std::size_t>(y * 100 + x)];
      smoky += cell == 3 ? 1 : 0;
      // The Earth's rim lies between these two radii, whatever its flattening.
      if (radius < 5.38e6) {
        EXPECT_EQ(cell, 3) << x << ' ' << y;
      } else if (radius > 5.45e6) {
        EXPECT_EQ(cell, 0) << x << ' ' << y;
      }
    }
  }
  EXPECT_GT(smoky, 7000);
  // Five degrees to either side of the meridian below the satellite: as much on the left as on the right.
  const auto middle = rasterize_smoke(std::vector{smoke(SmokeDensity::light, {box(-80, 5, -70, 35)})}, 100, 100, disk);
  EXPECT_EQ(middle[49 * 100 + 49], 0);
  EXPECT_EQ(middle[30 * 100 + 49], 1);
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 50; ++x)
      EXPECT_EQ(middle[static_cast<std::size_t>(y * 100 + x)], middle[static_cast<std::size_t>(y * 100 + 99 - x)]);
  }
}

TEST(RasterizeSmoke, NoPlaceIsRefused) {
  expect_input_error([] { (void)rasterize_smoke({}, 2, 2, {}); }, "georeference");
  expect_input_error([] { (void)rasterize_smoke({}, 2, 2, {"nonsense", {0, 1, 0, 0, 0, -1}}); }, "projection");
  expect_input_error([] { (void)rasterize_smoke({}, 2, 2, {"", {5e5, 30, 0, 4.2e6, 0, -30}}); }, "not degrees");
}

TEST(SmokeLabels, BinaryLevelsAndSoft) {
  const auto labels = [](const data::SmokeLabelRule& rule) {
    Cells cells{0, 1, 2, 3};
    data::label_smoke(cells, rule);
    return cells;
  };
  EXPECT_EQ(labels({}), (Cells{0, 1, 1, 1}));
  EXPECT_EQ(labels({.least = SmokeDensity::medium}), (Cells{0, 0, 1, 1}));
  EXPECT_EQ(labels({.least = SmokeDensity::heavy}), (Cells{0, 0, 0, 1}));
  const data::SmokeLabelRule levels{.labels = data::SmokeLabels::levels};
  EXPECT_EQ(labels(levels), (Cells{0, 1, 2, 3}));
  EXPECT_EQ(levels.classes(), 4);
  EXPECT_TRUE(levels.label_targets().empty());
  const data::SmokeLabelRule soft{.labels = data::SmokeLabels::soft, .targets = {0, 0.25F, 0.5F, 1}};
  EXPECT_EQ(labels(soft), (Cells{0, 1, 2, 3}));
  EXPECT_EQ(soft.label_targets(), (std::vector<float>{0, 0.25F, 0.5F, 1}));
}

constexpr std::chrono::sys_days eighth = std::chrono::year(2018) / 11 / 8;

TEST(SmokeArchive, DaysSpansAndWhatIsMissing) {
  const ScratchFolder folder;
  std::filesystem::create_directories(folder / "2018/11");
  const auto at = [](const char* start, const char* end) { return SmokeRecord{.start = start, .end = end}; };
  write_shapefile(folder / "2018/11/hms_smoke20181108.shp",
                  {at("2018312 1400", "2018312 1600"), at("2018313 0000", "2018313 0100")});
  write_geojson(folder / "hms_smoke20181109.geojson", {at("2018313 1500", "2018313 1500")});
  write_shapefile(folder / "hms_smoke20181111.shp", {});
  write_file(folder / "hms_smoke20181399.shp", "");
  write_file(folder / "notes.kml", "");
  const data::SmokeArchive archive(folder / "");
  EXPECT_EQ(archive.days().size(), 3U);
  const auto count = [&](data::UtcTime first, data::UtcTime last) {
    const auto found = archive.polygons_during({first, last});
    return found ? static_cast<int>(found->size()) : -1;
  };
  EXPECT_EQ(count(eighth + 14h, eighth + 14h), 1);
  EXPECT_EQ(count(eighth + 16h, eighth + 17h), 1);  // ends belong to a span
  EXPECT_EQ(count(eighth + 17h, eighth + 18h), 0);
  EXPECT_EQ(count(eighth + 15h, eighth + 39h), 3);
  // Half past midnight is still the eighth's evening, and needs its file alone.
  EXPECT_EQ(count(eighth + 24h, eighth + 25h), 1);
  EXPECT_EQ(count(eighth + 39h, eighth + 39h), 1);
  EXPECT_EQ(count(eighth + 5h, eighth + 14h), -1);   // begins in the seventh's night
  EXPECT_EQ(count(eighth + 60h, eighth + 60h), -1);  // the tenth
  EXPECT_EQ(count(eighth + 72h + 12h, eighth + 72h + 20h), 0);
  expect_input_error([&] { (void)data::SmokeArchive(folder / "none"); }, "none");
  expect_input_error([&] { (void)data::SmokeArchive(folder / "2018/12"); }, "2018/12");
  std::filesystem::create_directories(folder / "empty");
  expect_input_error([&] { (void)data::SmokeArchive(folder / "empty"); }, "empty", "hms_smokeYYYYMMDD");
  write_geojson(folder / "hms_smoke20181108.geojson", {});
  expect_input_error([&] { (void)data::SmokeArchive(folder / ""); }, "hms_smoke20181108", "one day");
}

// Against programs that nobody here wrote, on NOAA's own files.
class RealSmoke : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(hms_)) GTEST_SKIP() << "no HMS files at " << hms_ << "; set PLUME_DATA";
    if (std::system("gdal_rasterize --version >/dev/null 2>&1 && ogrinfo --version >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "gdal_rasterize and ogrinfo are not installed (gdal-bin)";
  }

  std::string output_of(const std::string& command) const {
    const auto text = folder_ / "output";
    EXPECT_EQ(std::system((command + " > " + text.string() + " 2>/dev/null").c_str()), 0) << command;
    return read_file(text);
  }

  const std::filesystem::path hms_ = real_data() / "hms";
  ScratchFolder folder_;
};

constexpr std::array names{"", "Light", "Medium", "Heavy"};

TEST_F(RealSmoke, CountsByDensityAreOgrinfos) {
  const data::SmokeArchive archive(hms_);
  EXPECT_EQ(archive.days().size(), 12U);
  std::size_t all = 0;
  for (const auto& [day, path] : archive.days()) {
    std::array<int, 4> count{};
    const auto polygons = data::read_smoke_polygons(path);
    for (const auto& polygon : polygons) {
      ++count[static_cast<std::size_t>(polygon.density)];
      // All times lie in the analysts' day that the file is named after.
      EXPECT_GE(polygon.seen.first, day + data::smoke_day_start) << path;
      EXPECT_LT(polygon.seen.last, day + data::smoke_day_start + 24h) << path;
    }
    all += polygons.size();
    for (const std::size_t density : {1U, 2U, 3U}) {
      const auto text =
          output_of(fmt::format("ogrinfo -ro -q {} -sql \"SELECT COUNT(*) AS n FROM {} WHERE Density='{}'\"",
                                path.string(), path.stem().string(), names[density]));
      EXPECT_NE(text.find(fmt::format("n (Integer) = {}\n", count[density])), std::string::npos)
          << path << ' ' << names[density] << ": " << count[density] << " here\n"
          << text;
    }
    EXPECT_EQ(archive.polygons_during({day + 6h, day + 29h})->size(), polygons.size());
  }
  EXPECT_EQ(all, 872U);
}

TEST_F(RealSmoke, MasksAreGdalRasterizes) {
  constexpr int height = 650;
  constexpr int width = 1000;
  std::int64_t smoky = 0;
  std::int64_t unlike = 0;
  const data::SmokeArchive archive(hms_);
  for (const auto& [day, path] : archive.days()) {
    const auto polygons = data::read_smoke_polygons(path);
    const auto mask = (folder_ / "mask.tif").string();
    std::filesystem::remove(mask);
    for (const int density : {1, 2, 3})
      output_of(
          fmt::format("gdal_rasterize -q -burn {} -where \"Density='{}'\" {} {} {}", density,
                      names[static_cast<std::size_t>(density)],
                      density == 1 ? fmt::format("-init 0 -ot Byte -te -140 5 -40 70 -ts {} {}", width, height) : "",
                      path.string(), mask));
    const auto expected = data::read_mask(mask);
    const auto place = grid(-140, 70, 0.1);
    const auto cells = rasterize_smoke(polygons, height, width, place);
    EXPECT_EQ(std::vector<float>(cells.begin(), cells.end()), expected.pixels) << path;
    const auto centres = rasterize_smoke(polygons, height, width, metric(place));
    for (std::size_t i = 0; i < cells.size(); ++i) {
      smoky += cells[i] > 0 ? 1 : 0;
      unlike += cells[i] != centres[i] ? 1 : 0;
    }
  }
  EXPECT_GT(smoky, 100000);
  // Only centres that lie on an edge could differ, by rounding.
  EXPECT_LE(unlike, 2);
}

}  // namespace
}  // namespace plume::tests

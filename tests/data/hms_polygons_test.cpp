// Reading HMS files: what each format says, and one clear line for each way in which a file can be bad.
#include <gtest/gtest.h>

#include <limits>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "data/hms/polygons.hpp"
#include "data/hms/rings.hpp"
#include "smoke_files.hpp"

namespace plume::tests {
namespace {

using data::read_smoke_polygons;
using data::SmokeDensity;
using namespace std::chrono_literals;

constexpr data::UtcTime camp_fire = std::chrono::sys_days(std::chrono::year(2018) / 11 / 8);

void expect_camp_fire(const data::SmokePolygon& polygon, SmokeDensity density) {
  EXPECT_EQ(polygon.density, density);
  EXPECT_EQ(polygon.seen, (data::TimeSpan{camp_fire + 14h, camp_fire + 16h}));
  ASSERT_EQ(polygon.parts.size(), 1U);
  const auto box = data::box_of(polygon.parts[0]);
  EXPECT_EQ(box.least.longitude, -120);
  EXPECT_EQ(box.most.latitude, 40);
}

TEST(HmsTime, YearDayAndClock) {
  EXPECT_EQ(data::parse_hms_time("2018312 1400"), camp_fire + 14h);
  EXPECT_EQ(data::parse_hms_time(" 2018312  0005 UTC\n"), camp_fire + 5min);
  EXPECT_EQ(data::parse_hms_time("2018312 1400UTC"), camp_fire + 14h);
  EXPECT_EQ(data::parse_hms_time("2020366 2359"),
            data::UtcTime(std::chrono::sys_days(std::chrono::year(2020) / 12 / 31)) + 23h + 59min);
  for (const char* none : {"", "2018312", "2018312 2400", "2018312 1260", "2018366 1200", "2018000 1200", "20183121400",
                           "2018-11-08 14:00", "2018312 -100", "2018312 140", "light"})
    EXPECT_FALSE(data::parse_hms_time(none)) << none;
}

TEST(HmsTime, IsoTime) {
  EXPECT_EQ(data::parse_iso_time("2018-11-08T14:05"), camp_fire + 14h + 5min);
  EXPECT_EQ(data::parse_iso_time("2018-11-08T14:05Z"), camp_fire + 14h + 5min);
  for (const char* none : {"", "2018-11-08", "2018-11-08 14:05", "2018-02-30T14:05", "2018-13-08T14:05",
                           "2018-11-08T24:00", "2018-11-08T14:60", "2018-11-08T14:05+01", "2018-11-08T-1:05"})
    EXPECT_FALSE(data::parse_iso_time(none)) << none;
}

TEST(HmsDensity, NamesAndNumbers) {
  for (const char* light : {"Light", "LIGHT", " light ", "5", "5.000"})
    EXPECT_EQ(data::smoke_density_from_text(light), SmokeDensity::light) << light;
  EXPECT_EQ(data::smoke_density_from_text("16.0"), SmokeDensity::medium);
  EXPECT_EQ(data::smoke_density_from_text("Heavy"), SmokeDensity::heavy);
  EXPECT_EQ(data::smoke_density_from_text("27"), SmokeDensity::heavy);
  for (const char* none : {"", "6", "thick", "5 micrograms", "nan"})
    EXPECT_FALSE(data::smoke_density_from_text(none)) << none;
}

TEST(HmsPolygons, ShapefileAndGeojsonAgree) {
  const ScratchFolder folder;
  const std::vector<SmokeRecord> records{{}, {.density = "16.000"}, {.density = "HEAVY"}};
  write_shapefile(folder / "a.shp", records);
  write_geojson(folder / "a.geojson", records);
  for (const char* name : {"a.shp", "a.geojson"}) {
    const auto polygons = read_smoke_polygons(folder / name);
    ASSERT_EQ(polygons.size(), 3U) << name;
    expect_camp_fire(polygons[0], SmokeDensity::light);
    expect_camp_fire(polygons[1], SmokeDensity::medium);
    expect_camp_fire(polygons[2], SmokeDensity::heavy);
  }
}

// The .prj beside a shapefile, here the equidistant cylindrical projection: degrees times one factor are metres.
TEST(HmsPolygons, ProjectedCoordinatesBecomeDegrees) {
  constexpr double metres_per_degree = 6378137 * 3.14159265358979323846 / 180;
  const ScratchFolder folder;
  SmokeRecord record;
  for (auto& point : record.rings[0]) point = {point.longitude * metres_per_degree, point.latitude * metres_per_degree};
  write_shapefile(folder / "a.shp", {record});
  expect_input_error([&] { (void)read_smoke_polygons(folder / "a.shp"); }, "record 0", "no place on Earth");
  write_file(folder / "a.prj", R"(PROJCS["Plate Carree",GEOGCS["WGS 84",DATUM["WGS_1984",
SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],
PROJECTION["Equirectangular"],PARAMETER["standard_parallel_1",0],PARAMETER["central_meridian",0],UNIT["metre",1]])");
  const auto polygons = read_smoke_polygons(folder / "a.shp");
  ASSERT_EQ(polygons.size(), 1U);
  const auto box = data::box_of(polygons[0].parts[0]);
  EXPECT_NEAR(box.least.longitude, -120, 1e-9);
  EXPECT_NEAR(box.most.longitude, -119, 1e-9);
  EXPECT_NEAR(box.most.latitude, 40, 1e-9);
}

TEST(HmsPolygons, AnEmptyDayHasNone) {
  const ScratchFolder folder;
  write_shapefile(folder / "a.shp", {});
  EXPECT_TRUE(read_smoke_polygons(folder / "a.shp").empty());
  write_geojson(folder / "a.geojson", {});
  EXPECT_TRUE(read_smoke_polygons(folder / "a.geojson").empty());
  write_file(folder / "a.kml",
             R"(<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<name>HMS Smoke Mapping-20240716</name><Folder><name>Overlay</name></Folder></Document></kml>)");
  EXPECT_TRUE(read_smoke_polygons(folder / "a.kml").empty());
}

std::string kml(const std::string& folder_name, const std::string& description) {
  return R"(<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Folder><name>)" +
         folder_name + R"(</name><Placemark><name>Legend</name><Point><coordinates>0,0</coordinates></Point></Placemark>
<Placemark><description><![CDATA[)" +
         description + R"(]]></description><Polygon><outerBoundaryIs><LinearRing><coordinates>
-120,40,0 -119,40,0 -119,39,0 -120,39,0 -120,40,0</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>
</Folder></Document></kml>)";
}

TEST(HmsPolygons, KmlDescribesItself) {
  const ScratchFolder folder;
  const auto read = [&](const std::string& text) {
    write_file(folder / "a.kml", text);
    return read_smoke_polygons(folder / "a.kml");
  };
  const auto now = read(kml("Smoke",
                            "<div>Start Time: 2018312 1400UTC<br>End Time: 2018312 1600UTC<br>Density: "
                            "Medium<br>Satellite: GOES-EAST</div>"));
  ASSERT_EQ(now.size(), 1U);
  expect_camp_fire(now[0], SmokeDensity::medium);
  const auto bold = read(kml("Smoke",
                             "<b>Start Time: </b>2018312 1400 UTC<br /><b>End Time:</b> 2018312 1600 "
                             "UTC<br /><b>Density:</b>27.000<br />"));
  ASSERT_EQ(bold.size(), 1U);
  expect_camp_fire(bold[0], SmokeDensity::heavy);
  const auto by_folder = read(kml("Smoke (Light)", "Start Time: 2018312 1400 UTC<br>End Time: 2018312 1600 UTC"));
  ASSERT_EQ(by_folder.size(), 1U);
  expect_camp_fire(by_folder[0], SmokeDensity::light);
  expect_input_error([&] { read(kml("Smoke", "Start Time: 2018312 1400<br>End Time: 2018312 1600")); }, "a.kml",
                     "record", "no Density");
  expect_input_error([&] { read("<html><body>404</body></html>"); }, "a.kml", "shapefile, KML or GeoJSON");
}

class BadSmoke : public ::testing::Test {
 protected:
  template <class... Parts>
  void refused(const std::vector<SmokeRecord>& records, const Parts&... parts) {
    write_shapefile(folder_ / "bad.shp", records);
    expect_input_error([&] { (void)read_smoke_polygons(folder_ / "bad.shp"); }, "bad.shp", parts...);
  }
  ScratchFolder folder_;
};

TEST_F(BadSmoke, Attributes) {
  refused({{}, {.density = "Thick"}}, "record 1", "'Thick'", "Light, Medium or Heavy");
  refused({{.density = ""}}, "record 0", "''");
  refused({{}, {}, {.start = "2018400 1200"}}, "record 2", "Start", "'2018400 1200'", "YYYYDDD HHMM");
  refused({{.end = "soon"}}, "record 0", "End", "'soon'");
  refused({{.start = "2018312 1700"}}, "record 0", "ends before it starts");
  write_shapefile(folder_ / "named.shp", {{}}, "Thickness");
  expect_input_error([&] { (void)read_smoke_polygons(folder_ / "named.shp"); }, "named.shp", "record 0", "no Density");
}

TEST_F(BadSmoke, Coordinates) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused({{.rings = {{{-120, 40}, {-119, nan}, {-119, 39}, {-120, 40}}}}}, "record 0", "no place on Earth");
  refused({{.rings = {{{-120, 40}, {-119, 91}, {-119, 39}, {-120, 40}}}}}, "record 0", "no place on Earth");
  refused({{.rings = {{{0, 80}, {120, 80}, {-120, 80}}}}}, "record 0", "pole");
}

TEST_F(BadSmoke, FilesThatAreMissing) {
  expect_input_error([&] { (void)read_smoke_polygons(folder_ / "none.shp"); }, "none.shp", "no such file");
  write_shapefile(folder_ / "a.shp", {{}});
  std::filesystem::remove(folder_ / "a.dbf");
  expect_input_error([&] { (void)read_smoke_polygons(folder_ / "a.shp"); }, "a.shp", "without its .dbf");
  write_shapefile(folder_ / "b.shp", {{}});
  std::filesystem::remove(folder_ / "b.shx");
  expect_input_error([&] { (void)read_smoke_polygons(folder_ / "b.shp"); }, "b.shp");
}

TEST_F(BadSmoke, BrokenRecords) {
  ::testing::internal::CaptureStderr();
  write_shapefile(folder_ / "a.shp", {{}, {}, {}});
  const auto whole = read_file(folder_ / "a.shp");
  const auto refuse = [&](const std::string& bytes) {
    write_file(folder_ / "a.shp", bytes);
    expect_input_error([&] { (void)read_smoke_polygons(folder_ / "a.shp"); }, "a.shp");
  };
  for (const std::size_t length : {std::size_t{0}, std::size_t{50}, whole.size() / 2, whole.size() - 8})
    refuse(whole.substr(0, length));
  auto many = whole;
  many[100 + 8 + 40] = '\x7f';  // the number of points of the first record
  refuse(many);
  write_file(folder_ / "a.shp", whole);
  const auto rows = read_file(folder_ / "a.dbf");
  write_file(folder_ / "a.dbf", rows.substr(0, rows.size() - 60));
  expect_input_error([&] { (void)read_smoke_polygons(folder_ / "a.shp"); }, "a.shp");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace plume::tests

// Polygons of a mask: laid over the pixels again they are the mask; OGR finds them valid, and the same as GDAL's own.
#include "unet/inference/polygons.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "../python.hpp"
#include "../random_values.hpp"
#include "../scratch_folder.hpp"
#include "data/images/png.hpp"
#include "program.hpp"
#include "unet/inference/geojson.hpp"

namespace plume::unet {
namespace {

Prediction of_labels(int height, int width, std::vector<std::uint8_t> labels) {
  Prediction prediction{height, width, 1, {}, std::move(labels), {}};
  prediction.confidence.assign(prediction.labels.size(), 0.5F);
  return prediction;
}

// Rows of '.' and digits.
Prediction drawn(const std::vector<std::string>& rows) {
  std::vector<std::uint8_t> labels;
  for (const std::string& row : rows) {
    for (const char c : row) labels.push_back(static_cast<std::uint8_t>(c == '.' ? 0 : c - '0'));
  }
  return of_labels(static_cast<int>(rows.size()), static_cast<int>(rows[0].size()), std::move(labels));
}

// Noise, or with `smooth` blobs with ragged edges; labels 0 to `classes`.
Prediction random_prediction(int height, int width, int classes, double share, bool smooth, std::uint64_t seed) {
  const auto noise = tests::random_values(static_cast<std::size_t>(height * width) + 8, seed);  // -1 to 1
  std::vector<std::uint8_t> labels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double own = noise[static_cast<std::size_t>(y * width + x)];
      const double wave = std::sin(x * (0.11 + 0.03 * noise[0])) * std::cos(y * (0.13 + 0.03 * noise[1]));
      const double value = smooth ? wave + 0.12 * own : own;
      labels.push_back(value < 1 - 2 * share ? 0 : static_cast<std::uint8_t>(1 + (x / 9 + y / 7) % classes));
    }
  }
  Prediction prediction = of_labels(height, width, std::move(labels));
  for (std::size_t p = 0; p < prediction.confidence.size(); ++p)
    prediction.confidence[p] = static_cast<float>(0.5 + 0.4 * noise[p]);
  return prediction;
}

std::int64_t twice_area(const Ring& ring) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i)
    sum += std::int64_t{ring[i].x} * ring[i + 1].y - std::int64_t{ring[i + 1].x} * ring[i].y;
  return sum;
}

// The labels of pixels whose centres lie in the polygons, by the even-odd rule; 255 where polygons overlap.
std::vector<std::uint8_t> laid_over(const std::vector<Polygon>& polygons, int height, int width) {
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(height * width), 0);
  for (const Polygon& polygon : polygons) {
    for (int y = 0; y < height; ++y) {
      std::vector<double> crossings;
      for (const Ring& ring : polygon.rings) {
        for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
          const Corner a = ring[i];
          const Corner b = ring[i + 1];
          if ((a.y > y) != (b.y > y)) crossings.push_back(a.x + (y + 0.5 - a.y) / (b.y - a.y) * (b.x - a.x));
        }
      }
      std::sort(crossings.begin(), crossings.end());
      for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
        for (int x = static_cast<int>(std::ceil(crossings[i] - 0.5)); x + 0.5 < crossings[i + 1]; ++x) {
          auto& label = labels[static_cast<std::size_t>(y * width + x)];
          label = label == 0 ? static_cast<std::uint8_t>(polygon.label) : 255;
        }
      }
    }
  }
  return labels;
}

void expect_simple(const Ring& ring) {
  ASSERT_GE(ring.size(), 5U);
  EXPECT_EQ(ring.front(), ring.back());
  std::set<std::pair<int, int>> corners;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    EXPECT_TRUE(corners.insert({ring[i].x, ring[i].y}).second) << "a ring comes twice to a corner";
    EXPECT_TRUE((ring[i].x == ring[i + 1].x) != (ring[i].y == ring[i + 1].y)) << "an edge is slanted";
  }
}

TEST(Polygons, APixelIsFourCorners) {
  const auto polygons = trace_polygons(drawn({"...", ".1.", "..."}));
  ASSERT_EQ(polygons.size(), 1U);
  EXPECT_EQ(polygons[0].label, 1);
  EXPECT_EQ(polygons[0].area, 1);
  EXPECT_EQ(polygons[0].rings, (std::vector<Ring>{{{1, 1}, {2, 1}, {2, 2}, {1, 2}, {1, 1}}}));
}

TEST(Polygons, PixelsThatMeetInACornerAreTwo) {
  EXPECT_EQ(trace_polygons(drawn({"1.", ".1"})).size(), 2U);
  EXPECT_EQ(trace_polygons(drawn({"12", "21"})).size(), 4U);
  EXPECT_EQ(trace_polygons(drawn({"11", "12"})).size(), 2U);
}

// The region closes itself around a hole in a corner: outline and hole touch there, and neither touches itself.
TEST(Polygons, AHoleMayTouchTheOutlineInACorner) {
  const auto polygons = trace_polygons(drawn({"11.", "1.1", "111"}));
  ASSERT_EQ(polygons.size(), 1U);
  ASSERT_EQ(polygons[0].rings.size(), 2U);
  for (const Ring& ring : polygons[0].rings) expect_simple(ring);
  EXPECT_GT(twice_area(polygons[0].rings[0]), 0);
  EXPECT_EQ(twice_area(polygons[0].rings[1]), -2);
}

TEST(Polygons, AHoleMayHoldAnotherPolygon) {
  const auto polygons = trace_polygons(drawn({"11111", "1...1", "1.2.1", "1...1", "11111"}));
  ASSERT_EQ(polygons.size(), 2U);
  EXPECT_EQ(polygons[0].rings.size(), 2U);
  EXPECT_EQ(polygons[0].area, 16);
  EXPECT_EQ(polygons[1].label, 2);
}

TEST(Polygons, NothingIsNoPolygonAndAllIsOne) {
  EXPECT_TRUE(trace_polygons(of_labels(3, 4, std::vector<std::uint8_t>(12, 0))).empty());
  const auto all = trace_polygons(of_labels(3, 4, std::vector<std::uint8_t>(12, 1)));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].rings, (std::vector<Ring>{{{0, 0}, {4, 0}, {4, 3}, {0, 3}, {0, 0}}}));
}

TEST(Polygons, LaidOverThePixelsTheyAreTheMask) {
  std::uint64_t seed = 1;
  for (const bool smooth : {false, true}) {
    for (const int classes : {1, 3}) {
      for (const double share : {0.1, 0.5, 0.62, 0.9}) {
        const Prediction prediction = random_prediction(61, 83, classes, share, smooth, ++seed);
        const auto polygons = trace_polygons(prediction);
        EXPECT_EQ(laid_over(polygons, 61, 83), prediction.labels);
        double sum = 0;
        float most = 0;
        for (const Polygon& polygon : polygons) {
          std::int64_t twice = 0;
          for (std::size_t r = 0; r < polygon.rings.size(); ++r) {
            expect_simple(polygon.rings[r]);
            EXPECT_EQ(twice_area(polygon.rings[r]) > 0, r == 0);
            twice += twice_area(polygon.rings[r]);
          }
          EXPECT_EQ(twice, 2 * polygon.area);
          sum += static_cast<double>(polygon.mean_probability) * static_cast<double>(polygon.area);
          most = std::max(most, polygon.max_probability);
        }
        double expected_sum = 0;
        float expected_most = 0;
        for (std::size_t p = 0; p < prediction.labels.size(); ++p) {
          if (prediction.labels[p] == 0) continue;
          expected_sum += static_cast<double>(prediction.confidence[p]);
          expected_most = std::max(expected_most, prediction.confidence[p]);
        }
        EXPECT_NEAR(sum, expected_sum, 1e-3);
        EXPECT_EQ(most, expected_most);
      }
    }
  }
}

double distance(Corner point, Corner from, Corner to) {
  const double dx = to.x - from.x;
  const double dy = to.y - from.y;
  const double along = std::clamp(((point.x - from.x) * dx + (point.y - from.y) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
  return std::hypot(point.x - from.x - along * dx, point.y - from.y - along * dy);
}

TEST(Polygons, SimplifiedTheyStayWithinTheTolerance) {
  for (const double tolerance : {0.8, 1.5, 4.0}) {
    std::size_t before = 0;
    std::size_t after = 0;
    for (const Polygon& exact : trace_polygons(random_prediction(120, 160, 1, 0.4, true, 5))) {
      Polygon polygon = exact;
      simplify(polygon, tolerance);
      ASSERT_EQ(polygon.rings.size(), exact.rings.size());
      for (std::size_t r = 0; r < exact.rings.size(); ++r) {
        before += exact.rings[r].size();
        after += polygon.rings[r].size();
        for (const Corner corner : exact.rings[r]) {
          double nearest = 1e9;
          for (std::size_t i = 0; i + 1 < polygon.rings[r].size(); ++i)
            nearest = std::min(nearest, distance(corner, polygon.rings[r][i], polygon.rings[r][i + 1]));
          EXPECT_LE(nearest, tolerance);
        }
      }
    }
    EXPECT_LT(after, before * 3 / 4) << tolerance;
  }
  const auto exact = trace_polygons(random_prediction(50, 50, 1, 0.5, true, 6));
  for (Polygon polygon : exact) {
    const auto rings = polygon.rings;
    simplify(polygon, 0);
    EXPECT_EQ(polygon.rings, rings);
  }
}

// Reads our polygons, and says what OGR finds wrong with them, or that GDAL makes others of the mask.
constexpr const char* gdal_check = R"py(
import json, sys
from osgeo import gdal, ogr
gdal.UseExceptions(); ogr.UseExceptions()
folder = sys.argv[1]
def ours(name):
    with open(f"{folder}/{name}.geojson") as file: features = json.load(file)["features"]
    return [(f["properties"]["class"], ogr.CreateGeometryFromJson(json.dumps(f["geometry"]))) for f in features]
for name in sys.argv[2:]:
    simple = ours(name + "_simple")
    for label, polygon in simple: assert polygon.IsValid(), f"{name}: a simplified polygon is not valid"
    exact = ours(name)
    image = gdal.Open(f"{folder}/{name}.png")  # osgeo's objects die with what they came from
    mask = image.GetRasterBand(1)
    source = ogr.GetDriverByName("Memory").CreateDataSource("")
    layer = source.CreateLayer("")
    layer.CreateField(ogr.FieldDefn("label", ogr.OFTInteger))
    gdal.Polygonize(mask, None, layer, 0, [])
    theirs = [(f.GetField(0), f.GetGeometryRef().Clone()) for f in layer if f.GetField(0) != 0]
    key = lambda pair: (pair[0], pair[1].GetEnvelope(), pair[1].Area())
    exact.sort(key=key); theirs.sort(key=key)
    assert len(exact) == len(theirs), f"{name}: {len(exact)} polygons, GDAL finds {len(theirs)}"
    assert len(simple) == len(exact)
    for (label, a), (other, b) in zip(exact, theirs):
        assert a.IsValid(), f"{name}: not valid"
        assert label == other and a.SymDifference(b).IsEmpty(), f"{name}: {a.ExportToWkt()} is not {b.ExportToWkt()}"
print("agreed")
)py";

TEST(Polygons, AreValidAndGdals) {
  if (!tests::python_has("osgeo.gdal")) GTEST_SKIP() << "no python3-gdal";
  const tests::ScratchFolder folder;
  std::vector<std::string> command{tests::python, "-W", "ignore", (folder / "check.py").string(),
                                   (folder / "").string()};
  tests::write_file(folder / "check.py", gdal_check);
  std::uint64_t seed = 20;
  for (const bool smooth : {false, true}) {
    for (const int classes : {1, 3}) {
      for (const double share : {0.2, 0.5, 0.62, 0.8}) {
        const Prediction prediction = random_prediction(71, 64, classes, share, smooth, ++seed);
        const std::string name = "mask" + std::to_string(seed);
        data::write_png(folder / (name + ".png"), {71, 64, 1}, prediction.labels);
        auto polygons = trace_polygons(prediction);
        tests::write_file(folder / (name + ".geojson"), to_geojson(polygons));
        for (Polygon& polygon : polygons) simplify(polygon, 0.5 + static_cast<double>(seed % 4));
        tests::write_file(folder / (name + "_simple.geojson"), to_geojson(polygons));
        command.push_back(name);
      }
    }
  }
  const tests::Outcome outcome = tests::run_command(command);
  EXPECT_EQ(outcome.output, "agreed\n") << outcome.errors;
}

double twice_area(const nlohmann::json& ring) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i)
    sum += ring[i][0].get<double>() * ring[i + 1][1].get<double>() -
           ring[i + 1][0].get<double>() * ring[i][1].get<double>();
  return sum;
}

TEST(Geojson, OutlinesRunCounterClockwiseInAnyCoordinates) {
  const auto polygons = trace_polygons(drawn({"111.", "1.1.", "1111"}));
  const auto to_north = [](std::span<double> x, std::span<double> y) {
    data::apply({-120, 0.5, 0, 40, 0, -0.25}, x, y);
  };
  for (const ToLonLat& places : {ToLonLat{}, ToLonLat{to_north}}) {
    const auto json = nlohmann::json::parse(to_geojson(polygons, places));
    EXPECT_EQ(json["type"], "FeatureCollection");
    ASSERT_EQ(json["features"].size(), 1U);
    const auto& feature = json["features"][0];
    EXPECT_EQ(feature["type"], "Feature");
    EXPECT_EQ(feature["geometry"]["type"], "Polygon");
    const auto& rings = feature["geometry"]["coordinates"];
    ASSERT_EQ(rings.size(), 2U);
    EXPECT_GT(twice_area(rings[0]), 0);
    EXPECT_LT(twice_area(rings[1]), 0);
    for (const auto& ring : rings) EXPECT_EQ(ring.front(), ring.back());
    EXPECT_EQ(feature["properties"]["class"], 1);
    EXPECT_EQ(feature["properties"]["area_pixels"], 9);
    EXPECT_EQ(feature["properties"]["mean_probability"], 0.5);
    EXPECT_EQ(feature["properties"]["max_probability"], 0.5);
    const std::string coordinates = json["coordinates"];
    EXPECT_EQ(coordinates.find("pixels") == std::string::npos, static_cast<bool>(places)) << coordinates;
    const auto on_the_edge = [&](const auto& corner) { return corner[0] == (places ? -118.5 : 3); };
    EXPECT_TRUE(std::any_of(rings[0].begin(), rings[0].end(), on_the_edge)) << rings;
  }
  EXPECT_TRUE(nlohmann::json::parse(to_geojson({}))["features"].empty());
}

// West of Fiji longitudes go on beyond 180, for the hole as for the outline; corners in space are left out.
TEST(Geojson, LongitudesFollowEachOtherAndSpaceIsLeftOut) {
  const auto polygons = trace_polygons(drawn({"11111", "111.1", "11111", "....."}));
  const auto over_the_line = [](std::span<double> x, std::span<double> y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = 178 + x[i] > 180 ? 178 + x[i] - 360 : 178 + x[i];
      y[i] = x[i] == 178 && y[i] == 0 ? std::nan("") : -y[i];
    }
  };
  const auto json = nlohmann::json::parse(to_geojson(polygons, over_the_line));
  const auto& rings = json["features"][0]["geometry"]["coordinates"];
  ASSERT_EQ(rings.size(), 2U);
  EXPECT_EQ(rings[0].size(), 4U);  // a corner is in space: three, and the first again
  EXPECT_GT(twice_area(rings[0]), 0);
  for (const auto& ring : rings) {
    for (const auto& corner : ring) {
      EXPECT_GE(corner[0], -182);
      EXPECT_LE(corner[0], -177);
    }
  }
  const auto in_space = [](std::span<double> x, std::span<double>) { std::fill(x.begin(), x.end(), std::nan("")); };
  EXPECT_TRUE(nlohmann::json::parse(to_geojson(polygons, in_space))["features"].empty());
}

}  // namespace
}  // namespace plume::unet

// What `plume predict` and `plume eval` make of their options: forms of results, specks, orientations, images that are
// larger than what is held of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../python.hpp"
#include "data/formats/geotiff_write.hpp"
#include "data/formats/raster_read.hpp"
#include "data/images/npy.hpp"
#include "program.hpp"
#include "small_training.hpp"
#include "trained_network.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/inference/model_file.hpp"

namespace plume::tests {
namespace {

constexpr int height = 700;
constexpr int width = 600;

class ProgramPredictTest : public testing::Test {
 protected:
  void SetUp() override {
    unet::save_model(file("model.safetensors"), trained_network(unet::build_graph({.bands = 2, .base = 4, .depth = 1})),
                     {}, "");
    std::vector<std::uint8_t> pixels;
    const auto noise = random_values(std::size_t{height} * width * 2, 7);
    for (std::size_t i = 0; i < noise.size(); ++i)
      pixels.push_back(static_cast<std::uint8_t>(100 + 60 * std::sin(static_cast<double>(i) / 900) + 40 * noise[i]));
    data::write_geotiff(file("scene.tif"), {height, width, 2}, pixels, {wgs84, {-120, 0.01, 0, 40, 0, -0.01}});
    data::write_geotiff(file("nowhere.tif"), {height, width, 2}, pixels, {});
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] Outcome predict(const std::string& output, std::vector<std::string> more,
                                const std::string& input = "scene.tif") const {
    std::vector<std::string> arguments{"predict",  "--model",   file("model.safetensors"), "--input", file(input),
                                       "--output", file(output)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_plume(arguments);
  }
  // Runs it, and fails unless it succeeds.
  void make(const std::string& output, const std::vector<std::string>& more) const {
    const Outcome outcome = predict(output, more);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  }
  // Half of the pixels are above it.
  [[nodiscard]] std::string median() const {
    make("median", {"--format", "npy"});
    auto values = probabilities("median");
    std::nth_element(values.begin(), values.begin() + std::ssize(values) / 2, values.end());
    return std::to_string(values[values.size() / 2]);
  }
  [[nodiscard]] std::vector<float> probabilities(const std::string& output) const {
    return data::read_npy(file(output + "/scene_probability.npy")).values;
  }

  static constexpr const char* wgs84 =
      R"(GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]])";
  ScratchFolder folder_;
};

TEST_F(ProgramPredictTest, CloudOptimizedResultsAreThePlainOnes) {
  make("plain", {"--format", "tif"});
  make("cog", {"--format", "cog"});
  EXPECT_EQ(names_in(file("cog")), names_in(file("plain")));
  for (const std::string name : {"scene_mask.tif", "scene_probability.tif"}) {
    const auto plain = data::read_raster(file("plain/" + name));
    const auto cog = data::read_raster(file("cog/" + name));
    EXPECT_EQ(cog.pixels, plain.pixels);
    EXPECT_EQ(cog.georeference.transform, plain.georeference.transform);
    if (!python_has("osgeo.gdal")) continue;
    const Outcome outcome = run_command(
        {python, "-W", "ignore", "-c",
         "import sys; from osgeo import gdal; image = gdal.Open(sys.argv[1]);"
         "print(image.GetMetadataItem('LAYOUT', 'IMAGE_STRUCTURE'), image.GetRasterBand(1).GetOverviewCount() > 0)",
         file("cog/" + name)});
    EXPECT_EQ(outcome.output, "COG True\n") << outcome.errors;
  }
  expect_failed(predict("both", {"--format", "tif,cog"}), 2, {"tif and cog"});
}

// Reads both, and says where OGR finds other polygons in KML than in GeoJSON.
constexpr const char* kml_check = R"py(
import json, sys
from osgeo import ogr
ogr.UseExceptions()
with open(sys.argv[1] + ".geojson") as file: features = json.load(file)["features"]
source = ogr.Open(sys.argv[1] + ".kml")
placemarks = list(source.GetLayer(0))
assert len(placemarks) == len(features) > 10, (len(placemarks), len(features))
for mark, feature in zip(placemarks, features):
    ours, theirs = ogr.CreateGeometryFromJson(json.dumps(feature["geometry"])), mark.GetGeometryRef().Clone()
    theirs.FlattenTo2D()
    assert ours.Equals(theirs), (ours.ExportToWkt(), theirs.ExportToWkt())
    wanted = feature["properties"]
    for name in ("class", "area_pixels", "mean_probability", "max_probability"):
        if mark.GetFieldIndex(name) >= 0: assert abs(float(mark.GetField(name)) - wanted[name]) < 1e-5 * (1 + wanted[name])
print("agreed")
)py";

TEST_F(ProgramPredictTest, KmlHasTheSamePolygonsAsGeojson) {
  make("out", {"--format", "kml,geojson", "--simplify", "1", "--threshold", median()});
  const std::string kml = read_file(file("out/scene_polygons.kml"));
  EXPECT_NE(kml.find("<Data name=\"area_pixels\">"), std::string::npos);
  EXPECT_NE(kml.find("<Data name=\"mean_probability\">"), std::string::npos);
  expect_failed(predict("out", {"--format", "kml"}, "nowhere.tif"), 3, {"nowhere.tif", "KML", "geojson"});
  if (!python_has("osgeo.ogr")) GTEST_SKIP() << "no python3-gdal";
  write_file(file("check.py"), kml_check);
  const Outcome outcome = run_command({python, "-W", "ignore", file("check.py"), file("out/scene_polygons")});
  EXPECT_EQ(outcome.output, "agreed\n") << outcome.errors;
}

TEST_F(ProgramPredictTest, SpecksAreInNoResult) {
  const std::string threshold = median();
  make("all", {"--format", "tif,npy,geojson", "--threshold", threshold});
  make("large", {"--format", "tif,npy,geojson", "--threshold", threshold, "--min-area", "30"});
  EXPECT_EQ(probabilities("large"), probabilities("all"));
  const auto areas = [&](const std::string& output) {
    const auto polygons = nlohmann::json::parse(read_file(file(output + "/scene_polygons.geojson")));
    std::vector<int> found;
    for (const auto& feature : polygons["features"]) found.push_back(feature["properties"]["area_pixels"]);
    return found;
  };
  auto expected = areas("all");
  EXPECT_GT(std::count_if(expected.begin(), expected.end(), [](int area) { return area < 30; }), 10);
  std::erase_if(expected, [](int area) { return area < 30; });
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(areas("large"), expected);
  const auto mask = data::read_raster(file("large/scene_mask.tif"));
  std::int64_t sum = 0;
  for (const int area : expected) sum += area;
  EXPECT_EQ(std::count(mask.pixels.begin(), mask.pixels.end(), 255.0F), sum);
}

TEST_F(ProgramPredictTest, OrientationsAndBlendsAreOtherAnswersThatDoNotHangOnTiles) {
  make("plain", {"--format", "npy"});
  const auto difference = [&](const std::string& a, const std::string& b) {
    const auto first = probabilities(a);
    const auto second = probabilities(b);
    float largest = first.size() == second.size() ? 0.0F : INFINITY;
    for (std::size_t i = 0; i < std::min(first.size(), second.size()); ++i)
      largest = std::max(largest, std::abs(first[i] - second[i]));
    return largest;
  };
  for (const std::string tta : {"flips", "turns"}) {
    make(tta, {"--format", "npy", "--tta", tta});
    make(tta + "_cut", {"--format", "npy", "--tta", tta, "--tile", "100"});
    EXPECT_GT(difference(tta, "plain"), 1e-3F);
    EXPECT_LE(difference(tta, tta + "_cut"), 1e-5F);
  }
  make("smooth", {"--format", "npy", "--blend", "smooth", "--tile", "100", "--overlap", "0.25"});
  EXPECT_GT(difference("smooth", "plain"), 1e-6F);
  EXPECT_LT(difference("smooth", "plain"), 0.1F);
  expect_failed(predict("none", {"--blend", "soft"}), 2, {"--blend"});
}

TEST(ProgramEval, SaysOverHowManyOrientations) {
  const ScratchFolder folder;
  const std::string shard = small_shard(folder);
  const std::string model = folder / "model.safetensors";
  unet::save_model(model, trained_network(unet::build_graph({.base = 4, .depth = 2})), {}, "");
  const auto report = [&](const std::string& tta) {
    const Outcome outcome =
        run_plume({"eval", "--model", model, "--data", shard, "--split", "train", "--tta", tta, "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return nlohmann::json::parse(outcome.output);
  };
  const auto plain = report("none");
  const auto turns = report("turns");
  EXPECT_EQ(plain["orientations"], 1);
  EXPECT_EQ(turns["orientations"], 8);
  EXPECT_NE(plain["classes"][0]["brier"], turns["classes"][0]["brier"]);
}

// 72 million pixels: as floats, with their probabilities, more than half a gigabyte.
TEST_F(ProgramPredictTest, ALargeImageIsNeverInMemory) {
  constexpr data::ImageShape large{12000, 6000, 1};
  unet::save_model(file("model.safetensors"), trained_network(unet::build_graph({.bands = 1, .base = 4, .depth = 1})),
                   {}, "");
  {
    data::GeotiffWriter writer(file("large.tif"), large, DType::u8, {wgs84, {-120, 0.01, 0, 60, 0, -0.01}});
    std::vector<std::uint8_t> row(large.width);
    for (int y = 0; y < large.height; ++y) {
      for (int x = 0; x < large.width; ++x)
        row[static_cast<std::size_t>(x)] = static_cast<std::uint8_t>((x / 64 + y / 64) * 37 % 200);
      writer.write_rows(row);
    }
    writer.finish();
  }
  const Outcome outcome =
      predict("out", {"--format", "tif,png,geojson", "--tile", "512", "--min-area", "9"}, "large.tif");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_EQ(names_in(file("out")), (std::vector<std::string>{"large_mask.tif", "large_overlay.png",
                                                             "large_polygons.geojson", "large_probability.tif"}));
  EXPECT_EQ(data::open_raster(file("out/large_probability.tif"))->shape().height, large.height);
  EXPECT_LT(outcome.peak_mebibytes, 500);
}

}  // namespace
}  // namespace plume::tests

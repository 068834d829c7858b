// plume-infer predict as a user runs it: every input and result, and every mistake answered with one line.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "../random_values.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/geotiff_write.hpp"
#include "data/formats/raster_read.hpp"
#include "data/geo/projection.hpp"
#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "data/images/tiff.hpp"
#include "program.hpp"
#include "trained_network.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/inference/predict.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

Outcome run_infer(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PLUME_INFER_PROGRAM);
  return run_command(arguments);
}

class InferPredictTest : public testing::Test {
 protected:
  static constexpr int height = 37;
  static constexpr int width = 50;
  static constexpr int bands = 3;

  void SetUp() override {
    unet::save_model(file("model.safetensors"), network_, {}, "");
    fs::create_directory(file("images"));
    const auto values = random_values(std::size_t{height} * width * bands, 5);
    for (const double value : values) bytes_.push_back(static_cast<std::uint8_t>(127 + 120 * value));
    data::write_png(file("images/a.png"), {height, width, bands}, bytes_);
    write("images/b.tif", data::encode_tiff({height, width, bands}, bytes_));
    data::write_npy(file("images/c.npy"), std::vector<std::int64_t>{height, width, bands}, bytes_);
    const std::vector<float> floats(bytes_.begin(), bytes_.end());
    expected_ = unet::Predictor(network_).probabilities(floats.data(), 1, height, width);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::vector<std::byte>& bytes) const {
    write_file(file(name), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  [[nodiscard]] Outcome predict(const std::string& input, const std::string& output,
                                const std::vector<std::string>& options = {}) const {
    std::vector<std::string> arguments{"predict", file("model.safetensors"), file(input), "-o", file(output)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_infer(arguments);
  }
  void expect_probabilities(const std::vector<float>& found) const {
    ASSERT_EQ(found.size(), expected_.size());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected_[i], 1e-5) << i;
  }

  ScratchFolder folder_;
  unet::Network network_ = trained_network(unet::build_graph({unet::Family::classic, bands, 1, 4, 2}));
  std::vector<std::uint8_t> bytes_;
  std::vector<float> expected_;
};

TEST_F(InferPredictTest, AFolderOfEveryFormatToAFolder) {
  const Outcome outcome = predict("images", "out", {"--format", "mask,overlay,npy,tif,geojson", "--threshold", "0.4"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 3) << outcome.output;
  std::vector<std::string> names;
  for (const char* stem : {"a", "b", "c"}) {
    for (const char* ending :
         {"_mask.png", "_overlay.png", "_probability.npy", "_probability.tif", "_polygons.geojson"})
      names.push_back(std::string(stem) + ending);
    const std::string results = file("out/") + stem;
    expect_probabilities(data::read_npy(results + "_probability.npy").values);
    expect_probabilities(data::read_raster(results + "_probability.tif").pixels);
    const data::Raster mask = data::read_raster(results + "_mask.png");
    for (std::size_t p = 0; p < mask.pixels.size(); ++p) ASSERT_EQ(mask.pixels[p], expected_[p] > 0.4F ? 255 : 0);
    EXPECT_EQ(data::read_raster(results + "_overlay.png").bands, 3);
    const auto polygons = nlohmann::json::parse(read_file(results + "_polygons.geojson"))["features"];
    EXPECT_EQ(std::accumulate(polygons.begin(), polygons.end(), 0,
                              [](int sum, const auto& polygon) {
                                return sum + polygon["properties"]["area_pixels"].template get<int>();
                              }),
              std::count(mask.pixels.begin(), mask.pixels.end(), 255.0F));
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names_in(file("out")), names);
}

TEST_F(InferPredictTest, OneFileToOneFileByItsExtension) {
  for (const auto& [output, options] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{{"m.png", {}},
                                                                     {"o.png", {"--format", "overlay"}},
                                                                     {"p.npy", {}},
                                                                     {"p.geojson", {"--simplify", "1"}},
                                                                     {"p.TIF", {"--format", "tif"}}}) {
    const Outcome outcome = predict("images/b.tif", output, options);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  }
  EXPECT_EQ(data::read_raster(file("m.png")).bands, 1);
  EXPECT_EQ(data::read_raster(file("o.png")).bands, 3);
  expect_probabilities(data::read_npy(file("p.npy")).values);
  expect_probabilities(data::read_raster(file("p.TIF")).pixels);
}

// The same files as plume predict writes, georeference and fill included.
TEST_F(InferPredictTest, AgreesWithPlume) {
  const auto tile =
      real_data() / "goes16_tiles" / "original_float32" / "OR_ABI-L1b-RadF-M6_G16_s20212642250204_48_19.tif";
  if (!fs::exists(tile)) GTEST_SKIP() << "no tile at " << tile;
  ASSERT_EQ(run_infer({"predict", file("model.safetensors"), tile.string(), "-o", file("ours"), "--bands", "1,2,3",
                       "--format", "npy,tif,overlay,geojson", "--simplify", "1"})
                .exit_code,
            0);
  ASSERT_EQ(run_plume({"predict", "--model", file("model.safetensors"), "--input", tile.string(), "--output",
                       file("plumes"), "--bands", "1,2,3", "--format", "npy,tif,png,geojson", "--simplify", "1"})
                .exit_code,
            0);
  const std::string stem = tile.stem().string();
  for (const char* ending : {"_probability.npy", "_overlay.png", "_polygons.geojson"})
    EXPECT_EQ(read_file(file("ours/") + stem + ending), read_file(file("plumes/") + stem + ending)) << ending;
  const auto ours = data::read_raster(file("ours/") + stem + "_probability.tif");
  const auto plumes = data::read_raster(file("plumes/") + stem + "_probability.tif");
  EXPECT_EQ(ours.pixels, plumes.pixels);
  EXPECT_EQ(ours.georeference, plumes.georeference);
}

// What GDAL alone knows the way from: plume places polygons on Earth, plume-infer says that it does not.
TEST_F(InferPredictTest, PolygonsOfAnotherProjectionArePlacedByPlume) {
  data::Georeference utm;
  utm.projection = data::geo::wkt_of("EPSG:32611");
  utm.transform = {500000, 1000, 0, 4100000, 0, -1000};
  data::write_geotiff(file("utm.tif"), {height, width, bands}, bytes_, utm);
  ASSERT_EQ(predict("utm.tif", "pixels.geojson", {"--threshold", "0"}).exit_code, 0);
  ASSERT_EQ(run_plume({"predict", "--model", file("model.safetensors"), "--input", file("utm.tif"), "--output",
                       file("placed"), "--format", "geojson", "--threshold", "0"})
                .exit_code,
            0);
  const auto outline = [&](const std::string& name, const char* coordinates) {
    const auto json = nlohmann::json::parse(read_file(file(name)));
    EXPECT_NE(json["coordinates"].get<std::string>().find(coordinates), std::string::npos);
    EXPECT_EQ(json["features"].size(), 1U);  // all of the image
    return json["features"][0]["geometry"]["coordinates"][0];
  };
  for (const auto& corner : outline("pixels.geojson", "pixels")) EXPECT_TRUE(corner[0] == 0 || corner[0] == width);
  for (const auto& corner : outline("placed/utm_polygons.geojson", "longitude")) {
    EXPECT_NEAR(corner[0].get<double>(), -116.7, 0.4);  // the zone's meridian is -117
    EXPECT_NEAR(corner[1].get<double>(), 36.9, 0.3);
  }
}

// In both programs, and cut they say so of tiles too small.
TEST_F(InferPredictTest, LargeImagesAreCutIntoTiles) {
  const auto values = random_values(std::size_t{130} * 141 * bands, 7);
  const std::vector<float> pixels(values.begin(), values.end());
  data::write_npy(file("large.npy"), std::vector<std::int64_t>{130, 141, bands}, pixels);
  expected_ = unet::Predictor(network_).probabilities(pixels.data(), 1, 130, 141);
  const auto plume = [&](const char* tile) {
    return run_plume({"predict", "--model", file("model.safetensors"), "--input", file("large.npy"), "--output",
                      file("cut"), "--format", "npy", "--tile", tile});
  };
  ASSERT_EQ(predict("large.npy", "cut.npy", {"--tile", "60"}).exit_code, 0);
  expect_probabilities(data::read_npy(file("cut.npy")).values);
  ASSERT_EQ(plume("60").exit_code, 0);
  expect_probabilities(data::read_npy(file("cut/large_probability.npy")).values);
  expect_failed(predict("large.npy", "cut.npy", {"--tile", "40"}), 2, {"40", "52"});
  expect_failed(plume("40"), 2, {"40", "52"});
}

TEST_F(InferPredictTest, MistakesAreOneLine) {
  expect_failed(run_infer({}), 2, {"subcommand"});
  expect_failed(predict("images", "out", {"--threshold", "2"}), 2, {"--threshold"});
  expect_failed(predict("images", "out", {"--format", "gif"}), 2, {"--format"});
  expect_failed(predict("images/a.png", "x.npy", {"--format", "mask"}), 2, {"x.npy", "mask"});
  expect_failed(predict("images/a.png", "x.png", {"--format", "mask,overlay"}), 2, {"x.png"});
  expect_failed(predict("images/a.png", "out", {"--bands", "1,2"}), 3, {"a.png", "2 bands", "3"});
  expect_failed(predict("images/none.png", "out"), 3, {"none.png"});
  expect_failed(predict("images/a.png", "out", {"--precision", "int8"}), 3, {"model.safetensors", "int8"});
  write_file(file("text.png"), "no image");
  expect_failed(predict("text.png", "out"), 3, {"text.png"});
  write_file(file("file"), "");
  expect_failed(predict("images", "file/out"), 4, {"file/out"});
  const std::string model = read_file(file("model.safetensors"));
  for (const std::size_t length : {std::size_t{0}, model.size() / 2, model.size() - 1}) {
    write_file(file("model.safetensors"), model.substr(0, length));
    expect_failed(predict("images", "out"), 3, {"model.safetensors"});
  }
}

TEST_F(InferPredictTest, NothingIsWrittenWhereReadingFails) {
  write_file(file("text.png"), "no image");
  EXPECT_EQ(predict("text.png", "m.png").exit_code, 3);
  EXPECT_FALSE(fs::exists(file("m.png")));
}

}  // namespace
}  // namespace plume::tests

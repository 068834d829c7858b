// A satellite's files as a user meets them: predict and data show, and every mistake answered with one line.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "../data/small_granule.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/raster_read.hpp"
#include "program.hpp"
#include "trained_network.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* stem = "OR_ABI-L1b-RadM1-M6_G17_s20193002000275";

class ProgramAbiTest : public testing::Test {
 protected:
  void SetUp() override {
    unet::save_model(file("model.safetensors"), trained_network(unet::build_graph({.bands = 2, .base = 4, .depth = 1})),
                     {}, "");
    fs::create_directories(file("scene"));
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  std::string add(const SmallGranule& granule, const std::string& start = "20193002000275") {
    const auto path = fs::path(file("scene")) / small_name(granule.channel, start);
    write_granule(path, granule);
    return path.string();
  }
  [[nodiscard]] Outcome predict(const std::string& input, std::vector<std::string> more = {"--bands", "1,3"}) const {
    std::vector<std::string> arguments{"predict",  "--model",  file("model.safetensors"), "--input", input,
                                       "--output", file("out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_plume(arguments);
  }

  ScratchFolder folder_;
};

TEST_F(ProgramAbiTest, PredictsOnTheSceneInAFolder) {
  add({.channel = 1});
  add({.channel = 3});
  add({.channel = 6});
  write_file(file("scene/OR_ABI-L2-FDCC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc"), "passed over");
  const Outcome outcome = predict(file("scene"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_NE(outcome.output.find(stem), std::string::npos) << outcome.output;
  const std::string results = file(std::string("out/") + stem);
  EXPECT_EQ(names_in(file("out")),
            (std::vector<std::string>{std::string(stem) + "_mask.tif", std::string(stem) + "_overlay.png",
                                      std::string(stem) + "_probability.tif"}));
  const auto mask = data::read_raster(results + "_mask.tif");
  EXPECT_EQ(mask.height, 6);
  EXPECT_EQ(mask.width, 8);
  EXPECT_NEAR(mask.georeference.transform[1], 28e-6 * 35786023, 1e-3);
  EXPECT_NE(mask.georeference.projection.find("Geostationary"), std::string::npos) << mask.georeference.projection;
}

TEST_F(ProgramAbiTest, PredictsOnFilesAndInAnotherProjection) {
  const auto first = add({.channel = 1});
  const auto third = add({.channel = 3});
  const Outcome outcome =
      run_plume({"predict", "--model", file("model.safetensors"), "--input", first, third, "--output", file("out"),
                 "--bands", "1,3", "--grid", "EPSG:4326", "--resolution", "0.005", "--format", "tif"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto mask = data::read_raster(file(std::string("out/") + stem + "_mask.tif"));
  EXPECT_EQ(mask.georeference.transform[1], 0.005);
  EXPECT_NEAR(mask.georeference.transform[0], -137.0, 0.1);
}

TEST_F(ProgramAbiTest, WhatDoesNotFitIsSaidBeforeAnythingIsWritten) {
  add({.channel = 1});
  const auto scene = file("scene");
  expect_failed(predict(scene), 3, {"G17 M1 2019-10-27T20:00:27.5Z lacks C03; it has C01"});
  expect_failed(predict(scene, {}), 2, {"takes 2 bands", "--bands 1,3,5,6"});
  expect_failed(predict(scene, {"--bands", "1-3"}), 2, {"takes 2 bands"});
  expect_failed(predict(scene, {"--bands", "1,17"}), 2, {"channels 1 to 16"});
  add({.channel = 3}, "20193002001275");
  expect_failed(predict(scene), 3, {"lacks C03", "bands of different times are no scene"});
  EXPECT_EQ(names_in(file("out")), std::vector<std::string>{});
}

TEST_F(ProgramAbiTest, BadFilesAreNamed) {
  const auto first = add({.channel = 1});
  const auto third = add({.channel = 3});
  const auto whole = read_file(third);
  write_file(third, whole.substr(0, whole.size() / 3));
  expect_failed(predict(file("scene")), 3, {third, "cut short"});
  write_granule(third, {.channel = 3, .without = {"kappa0"}});
  expect_failed(predict(file("scene")), 3, {third, "kappa0"});
  write_granule(third, {.channel = 3, .claimed = 1000000});
  expect_failed(predict(file("scene")), 3, {third, "claims 1000000 x 1000000"});
  write_granule(third, {.channel = 3, .pixels = std::vector<std::uint16_t>(48, 1023)});
  expect_failed(predict(file("scene")), 3, {third, "no pixel was measured"});
  write_granule(third, {.channel = 3});
  expect_failed(predict(file("scene"), {"--bands", "1,3", "--grid", "mercury"}), 2, {"'mercury' is no projection"});
  fs::create_directories(file("fires"));
  write_file(file("fires/OR_ABI-L2-FDCC-M6_G17_s20193002001196_e20193002003569_c20193002004132.nc"), "fires alone");
  expect_failed(predict(file("fires")), 3, {"no input holds an image or a band of a scene"});
  write_file(file("mine.nc"), "text");
  expect_failed(predict(file("mine.nc")), 3, {"mine.nc is no name of an ABI file"});
  EXPECT_EQ(names_in(file("out")), std::vector<std::string>{});
}

// What packing cannot do is said in one line, and nothing is left behind.
class ProgramAbiPackTest : public ProgramAbiTest {
 protected:
  void SetUp() override {
    fs::create_directories(file("scene"));
    fs::create_directories(file("hms"));
    write_file(file("hms/hms_smoke20191027.geojson"), R"({"type":"FeatureCollection","features":[]})");
  }
  [[nodiscard]] Outcome pack(const std::string& tiling = "satellite") const {
    return run_plume({"data",  "pack",     "--abi",  file("scene"), "--hms", file("hms"),     "--bands",
                      "1,3",   "--tiling", tiling,   "--size",      "2",     "--block",       "1",
                      "--val", "0",        "--test", "0",           "-o",    file("shard.h5")});
  }
  void expect_refused(const Outcome& outcome, const std::vector<std::string_view>& parts) const {
    expect_failed(outcome, 3, parts);
    EXPECT_EQ(names_in(folder_ / ""), (std::vector<std::string>{"hms", "scene"}));
  }
};

TEST_F(ProgramAbiPackTest, PacksAScene) {
  add({.channel = 1});
  add({.channel = 3});
  const Outcome outcome = pack();
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_NE(outcome.output.find("12 tiles of 2x2, 2 bands"), std::string::npos) << outcome.output;
}

TEST_F(ProgramAbiPackTest, ABandThatIsMissingIsNamed) {
  expect_refused(pack(), {"scene", "holds no bands of ABI scenes"});
  add({.channel = 1});
  expect_refused(pack(), {"G17 M1 2019-10-27T20:00:27.5Z lacks C03; it has C01"});
}

TEST_F(ProgramAbiPackTest, BandsOfDifferentTimesAreNoScene) {
  add({.channel = 1});
  add({.channel = 3}, "20193002001275");
  expect_refused(pack(),
                 {"lacks C03", "C03 is there of 2019-10-27T20:01:27.5Z", "bands of different times are no scene"});
}

TEST_F(ProgramAbiPackTest, WhatLooksBesideTheEarthHasNoTiles) {
  SmallGranule beside{.channel = 1};
  beside.grid.x.first = 0.16;  // the Earth's edge is at 0.152
  add(beside);
  beside.channel = 3;
  add(beside);
  expect_refused(pack("web"), {"no scene shows enough of a tile"});
}

TEST_F(ProgramAbiPackTest, DamagedFilesAreNamed) {
  add({.channel = 1});
  const auto third = add({.channel = 3});
  const auto whole = read_file(third);
  write_file(third, whole.substr(0, whole.size() / 3));
  expect_refused(pack(), {third, "cut short"});
  write_granule(third, {.channel = 3, .without = {"DQF"}});
  expect_refused(pack(), {third, "DQF"});
  write_granule(third, {.channel = 3, .claimed = 1000000});
  expect_refused(pack(), {third, "claims 1000000 x 1000000"});
  write_granule(third, {.channel = 3, .pixels = std::vector<std::uint16_t>(48, 1023)});
  expect_failed(pack(), 3, {"no pixel of the training split is both measured and labelled"});  // whole parts stay
  EXPECT_EQ(names_in(folder_ / ""), (std::vector<std::string>{"hms", "scene", "shard.h5.parts"}));
}

TEST_F(ProgramAbiPackTest, ASceneWithoutAMeasuredPixelIsNamed) {
  for (const int channel : {1, 3}) {
    add({.channel = channel});
    add({.channel = channel}, "20193002001275");
  }
  const Outcome whole = pack();
  EXPECT_EQ(whole.exit_code, 0) << whole.errors;
  EXPECT_EQ(whole.errors, "");
  add({.channel = 3, .pixels = std::vector<std::uint16_t>(48, 1023)}, "20193002001275");
  const Outcome outcome = pack();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_NE(outcome.errors.find("ignored: OR_ABI-L1b-RadM1-M6_G17_s20193002001275: no pixel is measured"),
            std::string::npos)
      << outcome.errors;
}

TEST_F(ProgramAbiTest, ShowsWhatAFileIs) {
  const auto path = add({.channel = 1});
  const Outcome text = run_plume({"data", "show", path});
  EXPECT_EQ(text.exit_code, 0) << text.errors;
  EXPECT_NE(text.output.find("L1b-Rad C01, reflectance, of G17 M1, 2019-10-27T20:00:27.5Z"), std::string::npos)
      << text.output;
  const Outcome json = run_plume({"data", "show", path, "--json"});
  const auto report = nlohmann::json::parse(json.output).at(0);
  EXPECT_EQ(report.at("channel"), 1);
  EXPECT_EQ(report.at("width"), 8);
  EXPECT_EQ(report.at("missing_share"), 0);
  EXPECT_NEAR(report.at("center").at("longitude").get<double>(), -137, 0.01);
  write_file(path, "text");
  expect_failed(run_plume({"data", "show", path}), 3, {path, "no NetCDF file"});
}

// The corners of a written mask, in the file's own coordinates: west, north, east, south.
std::array<double, 4> corners_of(const fs::path& path) {
  const auto raster = data::read_raster(path);
  const auto& t = raster.georeference.transform;
  return {t[0], t[3], t[0] + raster.width * t[1], t[3] + raster.height * t[5]};
}

// The real scene beside GDAL's own reading of the same file, as it lies and warped.
class ProgramKincadeTest : public ProgramAbiTest {
 protected:
  void SetUp() override {
    if (!fs::exists(scene_)) GTEST_SKIP() << "no real files at " << scene_ << "; set PLUME_DATA";
    if (std::system("gdalwarp --version > /dev/null 2>&1") != 0)
      GTEST_SKIP() << "no gdalwarp (Debian and Ubuntu: gdal-bin)";
    ProgramAbiTest::SetUp();
  }
  void expect_corners_of(const std::string& gdal, const std::vector<std::string>& grid) const {
    const std::string blue = (scene_ / "OR_ABI-L1b-RadM1-M6C01_G17_s20193002000275_e20193002000332_c20193002000379.nc");
    const std::string command = gdal + " 'NETCDF:\"" + blue + "\":Rad' '" + file("gdal.tif") + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::vector<std::string> more{"--bands", "1,3", "--format", "tif"};
    more.insert(more.end(), grid.begin(), grid.end());
    const Outcome outcome = predict(scene_.string(), more);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
    const auto theirs = corners_of(file("gdal.tif"));
    const auto path = file(std::string("out/") + stem + "_mask.tif");
    const auto ours = corners_of(path);
    const double pixel = data::read_raster(path).georeference.transform[1];
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(ours[i], theirs[i], pixel / 2) << i;
  }
  const fs::path scene_ = real_data() / "goes17_kincade";
};

TEST_F(ProgramKincadeTest, LiesWhereGdalHasIt) {
  expect_corners_of("gdal_translate -q", {});
}

TEST_F(ProgramKincadeTest, LiesWhereGdalwarpPutsIt) {
  expect_corners_of("gdalwarp -q -overwrite -t_srs EPSG:4326", {"--grid", "EPSG:4326"});
}

}  // namespace
}  // namespace plume::tests

// Drawn ABI files and HMS polygons: read like real ones, with headers like theirs, and about the same smoke.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "../expect_error.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/abi/granule.hpp"
#include "data/abi/scene.hpp"
#include "data/geo/grid.hpp"
#include "data/hms/archive.hpp"
#include "data/hms/rasterize.hpp"
#include "data/synth/scenes.hpp"

namespace plume::tests {
namespace {

namespace fs = std::filesystem;

// One scene, drawn once for all tests.
const fs::path& drawn() {
  static const ScratchFolder folder;
  static const bool made = [] {
    data::synth::write_abi_scenes({.folder = folder / "drawn", .seed = 1, .thermal = true});
    return true;
  }();
  static_cast<void>(made);
  static const fs::path path = folder / "drawn";
  return path;
}

data::abi::Scene drawn_scene() {
  const auto scenes = data::abi::find_scenes(data::abi::list_abi_files(drawn() / "abi"));
  EXPECT_EQ(scenes.size(), 1U);
  return scenes.front();
}

TEST(SynthScenes, AreWholeSetsOfBands) {
  const auto scene = drawn_scene();
  constexpr std::array channels{1, 2, 3, 4, 5, 6, 7, 13};
  data::abi::require_bands(std::span(&scene, 1), channels);
  EXPECT_EQ(scene.name.satellite, 17);
  EXPECT_EQ(scene.name.sector, "M1");
  for (const auto& [channel, size] : {std::pair{1, 1000}, {2, 2000}, {3, 1000}, {4, 500}, {6, 500}, {13, 500}}) {
    const data::abi::Granule granule(scene.bands.at(channel));
    EXPECT_EQ(granule.grid().x.count, size);
    EXPECT_EQ(granule.grid().y.count, size);
  }
}

TEST(SynthScenes, HoldPlausibleValues) {
  const auto scene = drawn_scene();
  for (const auto& [channel, path] : scene.bands) {
    const data::abi::Granule granule(path);
    double sum = 0;
    const auto values = granule.read(granule.whole());
    for (const float value : values) {
      ASSERT_TRUE(std::isfinite(value)) << channel;
      sum += static_cast<double>(value);
    }
    const double mean = sum / static_cast<double>(values.size());
    EXPECT_GT(mean, channel < 7 ? 0.003 : 250) << channel;
    EXPECT_LT(mean, channel < 7 ? 0.5 : 320) << channel;
  }
}

TEST(SynthScenes, SmokeIsBrighterInTheBlueWhereItIsOutlined) {
  const auto scene = drawn_scene();
  const data::SmokeArchive archive(drawn() / "hms");
  const auto time = std::chrono::floor<std::chrono::seconds>(scene.name.start);
  const auto polygons = archive.polygons_during({time, time});
  ASSERT_TRUE(polygons.has_value());
  std::set<data::SmokeDensity> densities;
  for (const auto& polygon : *polygons) densities.insert(polygon.density);
  EXPECT_EQ(densities.size(), 3U);

  const data::abi::Granule blue(scene.bands.at(1));
  const data::abi::Granule red(scene.bands.at(2));
  const auto values = blue.read(blue.whole());
  const auto grid = data::geo::grid_of(blue.grid());
  const auto smoke = data::rasterize_smoke(*polygons, grid.height, grid.width, grid.georeference);
  std::array<double, 2> sum{}, count{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > 0.4F) continue;  // clouds
    const std::size_t which = smoke[i] >= 2 ? 1 : 0;
    sum[which] += static_cast<double>(values[i]);
    count[which] += 1;
  }
  ASSERT_GT(count[1], 500);
  EXPECT_GT(sum[1] / count[1], sum[0] / count[0] + 0.02);
}

TEST(SynthScenes, AreAFunctionOfTheirSeed) {
  const auto all = [](const fs::path& folder) {
    std::string bytes;
    const auto scenes = data::abi::find_scenes(data::abi::list_abi_files(folder / "abi"));
    for (const auto& [channel, path] : scenes.front().bands) {
      const data::abi::Granule granule(path);
      const auto values = granule.read(granule.whole());
      bytes += path.filename().string();
      bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    }
    for (const auto& entry : fs::directory_iterator(folder / "hms")) {
      if (entry.path().extension() == ".shp") bytes += read_file(entry.path());
    }
    return bytes;
  };
  const ScratchFolder folder;
  data::synth::write_abi_scenes({.folder = folder / "again", .seed = 1, .thermal = true, .threads = 1});
  EXPECT_TRUE(all(folder / "again") == all(drawn()));
  data::synth::write_abi_scenes({.folder = folder / "other", .seed = 2, .thermal = true});
  EXPECT_FALSE(all(folder / "other") == all(drawn()));
}

// The lines of ncdump -hs; none where it is not installed.
std::vector<std::string> header_of(const fs::path& path) {
  std::vector<std::string> lines;
  FILE* pipe = ::popen(("ncdump -hs '" + path.string() + "' 2>/dev/null").c_str(), "r");
  std::string line;
  for (int c = 0; pipe != nullptr && (c = std::fgetc(pipe)) != EOF;) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    lines.push_back(line.substr(std::min(line.find_first_not_of('\t'), line.size())));
    line.clear();
  }
  if (pipe != nullptr) ::pclose(pipe);
  return lines;
}

TEST(SynthScenes, HeadersDifferFromRealOnesInTheListedFieldsOnly) {
  const fs::path real = real_data() / "goes17_kincade";
  if (!fs::exists(real)) GTEST_SKIP() << "no real files at " << real << "; set PLUME_DATA";
  const auto theirs = data::abi::find_scenes(data::abi::list_abi_files(real)).front();
  if (header_of(theirs.bands.at(1)).empty()) GTEST_SKIP() << "no ncdump (Debian and Ubuntu: netcdf-bin)";
  // abi_file.hpp, and what the libraries leave.
  const std::array listed{"netcdf OR_ABI",
                          "DQF:percent_",
                          "y:add_offset",
                          "x:add_offset",
                          "geospatial_lat_lon_extent:geospatial_",
                          "algorithm_dynamic_input_data_container:input_ABI_L0_data",
                          ":dataset_name",
                          ":production_data_source",
                          ":date_created",
                          ":time_coverage_",
                          ":LUT_Filenames",
                          ":id",
                          ":_NCProperties"};
  const auto compared = [&](std::vector<std::string> lines) {
    std::erase_if(lines, [&](const std::string& line) {
      return std::any_of(listed.begin(), listed.end(), [&](const char* start) { return line.starts_with(start); });
    });
    return lines;
  };
  for (const auto& [channel, path] : theirs.bands) {
    EXPECT_EQ(compared(header_of(drawn_scene().bands.at(channel))), compared(header_of(path))) << channel;
  }
}

TEST(SynthScenes, SaysWhatItCannotWrite) {
  const ScratchFolder folder;
  write_file(folder / "file", "");
  expect_error(
      ErrorKind::environment, [&] { data::synth::write_abi_scenes({.folder = folder / "file"}); }, "file");
  expect_error(ErrorKind::usage, [&] { data::synth::write_abi_scenes({.folder = folder / "none", .count = 0}); });
}

}  // namespace
}  // namespace plume::tests

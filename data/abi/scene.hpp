// The bands that one satellite took of one sector at one time, found among files by their names.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/abi/file_name.hpp"

namespace plume::data::abi {

struct Scene {
  FileName name;                               // of its first band
  std::map<int, std::filesystem::path> bands;  // by channel

  // "OR_ABI-L1b-RadM1-M6_G17_s20193002000275": a band's file name without what tells bands apart.
  [[nodiscard]] std::string stem() const;
  // "G17 M1 2019-10-27T20:00:27.5Z", for people.
  [[nodiscard]] std::string text() const;
};

// Groups files of L1b radiances or L2 CMIP by product, satellite, sector and start (within two seconds, for bands'
// stamps may differ by tenths), sorted by these. Throws input_error for a name that is no ABI file's or has no channel,
// and for two files of one band of one scene.
[[nodiscard]] std::vector<Scene> find_scenes(std::span<const std::filesystem::path> files);

// The ABI files (is_abi_name) directly in a folder, sorted; maybe none. Throws input_error where there is no
// such folder.
[[nodiscard]] std::vector<std::filesystem::path> list_abi_files(const std::filesystem::path& folder);

// Those of ABI files that are bands, as scenes are made of: products without channels, as fire masks, are passed over.
// Throws input_error as parse_file_name.
[[nodiscard]] std::vector<std::filesystem::path> bands_among(std::vector<std::filesystem::path> files);

// The bands directly in a folder. Throws input_error as list_abi_files and bands_among.
[[nodiscard]] std::vector<std::filesystem::path> list_band_files(const std::filesystem::path& folder);

// Throws input_error unless every scene has all channels, saying which scene lacks which, and where one of them is
// at hand of another time.
void require_bands(std::span<const Scene> scenes, std::span<const int> channels);

}  // namespace plume::data::abi

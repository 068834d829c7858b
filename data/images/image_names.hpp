// The images of a folder, told by their names.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace plume::data {

// The files directly in a folder with one of these extensions (".tif"; in either case), sorted by name (bytewise).
// Throws input_error where there is no such folder, no such file in it, or two files of one stem.
[[nodiscard]] std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder,
                                                             const std::set<std::string>& extensions);

}  // namespace plume::data

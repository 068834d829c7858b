// Groups names.
#include "data/abi/scene.hpp"

#include <algorithm>
#include <tuple>

#include "kernels/base/error.hpp"

namespace plume::data::abi {
namespace {

constexpr std::chrono::seconds apart{2};

auto kind_of(const FileName& name) {
  return std::tie(name.product, name.satellite, name.sector);
}

bool belongs(const Scene& scene, const FileName& name) {
  return kind_of(scene.name) == kind_of(name) && name.start - scene.name.start <= apart;
}

std::string list_of(std::span<const int> channels) {
  std::string list;
  for (const int channel : channels) list += fmt::format("{}C{:02}", list.empty() ? "" : ", ", channel);
  return list;
}

// Where the channel was taken at another time, for the message: a likely slip is to mix the files of two scenes.
std::string elsewhere(std::span<const Scene> scenes, const Scene& lacking, int channel) {
  for (const Scene& other : scenes) {
    if (kind_of(other.name) == kind_of(lacking.name) && other.bands.contains(channel))
      return fmt::format("; C{:02} is there of {}, but bands of different times are no scene", channel,
                         text_of(other.name.start));
  }
  return "";
}

}  // namespace

std::string Scene::stem() const {
  return fmt::format("{}_ABI-{}{}-M{}_G{}_s{}", name.environment, name.product, name.sector, name.mode, name.satellite,
                     stamp_of(name.start));
}

std::string Scene::text() const {
  return fmt::format("G{} {} {}", name.satellite, name.sector, text_of(name.start));
}

std::vector<Scene> find_scenes(std::span<const std::filesystem::path> files) {
  std::vector<std::pair<FileName, std::filesystem::path>> named;
  for (const auto& file : files) {
    named.emplace_back(parse_file_name(file), file);
    if (named.back().first.channel == 0)
      throw input_error("{} is no band of a scene: its name has no channel, as M6C01", file.string());
  }
  std::sort(named.begin(), named.end(), [](const auto& a, const auto& b) {
    return std::tuple(kind_of(a.first), a.first.start, a.first.channel, a.second) <
           std::tuple(kind_of(b.first), b.first.start, b.first.channel, b.second);
  });
  std::vector<Scene> scenes;
  for (const auto& [name, file] : named) {
    if (scenes.empty() || !belongs(scenes.back(), name)) scenes.push_back({name, {}});
    const auto [at, added] = scenes.back().bands.try_emplace(name.channel, file);
    if (!added)
      throw input_error("{} and {} are the same band of the same scene; keep one", at->second.string(), file.string());
  }
  return scenes;
}

std::vector<std::filesystem::path> list_abi_files(const std::filesystem::path& folder) {
  std::error_code failed;
  std::vector<std::filesystem::path> found;
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (is_abi_name(entry->path())) found.push_back(entry->path());
  }
  if (failed) throw input_error("cannot read the folder {}: {}", folder.string(), failed.message());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::filesystem::path> bands_among(std::vector<std::filesystem::path> files) {
  std::erase_if(files, [](const std::filesystem::path& path) { return parse_file_name(path).channel == 0; });
  return files;
}

std::vector<std::filesystem::path> list_band_files(const std::filesystem::path& folder) {
  return bands_among(list_abi_files(folder));
}

void require_bands(std::span<const Scene> scenes, std::span<const int> channels) {
  for (const Scene& scene : scenes) {
    std::vector<int> missing;
    std::copy_if(channels.begin(), channels.end(), std::back_inserter(missing),
                 [&](int channel) { return !scene.bands.contains(channel); });
    if (missing.empty()) continue;
    std::vector<int> present;
    for (const auto& [channel, file] : scene.bands) present.push_back(channel);
    throw input_error("the scene {} lacks {}; it has {}{}", scene.text(), list_of(missing), list_of(present),
                      elsewhere(scenes, scene, missing[0]));
  }
}

}  // namespace plume::data::abi

// Looks into a folder.
#include "unet/inference/find_model.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

namespace fs = std::filesystem;

std::optional<float> threshold_in(const fs::path& description) {
  if (!fs::exists(description)) return std::nullopt;
  std::ifstream stream(description);
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  if (!json.is_object()) throw input_error("{}: is no JSON object", description.string());
  const auto threshold = json.find("threshold");
  if (threshold == json.end()) return std::nullopt;
  if (!threshold->is_number() || *threshold < 0 || *threshold > 1)
    throw input_error("{}: threshold is {}, not a number from 0 to 1", description.string(), threshold->dump());
  return threshold->get<float>();
}

}  // namespace

FoundModel find_model(const fs::path& named) {
  std::error_code failed;
  if (!fs::is_directory(named, failed)) return {named, std::nullopt};
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(named, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (entry->path().extension() == ".safetensors") found.push_back(entry->path());
  }
  if (failed) throw input_error("cannot read the folder {}: {}", named.string(), failed.message());
  if (found.empty()) throw input_error("{} holds no .safetensors", named.string());
  if (found.size() > 1)
    throw input_error("{} holds {} .safetensors; name the one that is meant", named.string(), found.size());
  return {found.front(), threshold_in(named / "model.json")};
}

}  // namespace plume::unet

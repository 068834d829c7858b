// starts.jsonl, written.
#include "unet/start_record.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "data/libraries.hpp"
#include "dist/launcher.hpp"
#include "kernels/base/error.hpp"
#include "unet/commit.hpp"
#include "unet/version.hpp"

namespace plume::unet {
namespace {

// As it was typed, but for quotes.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  return text;
}

nlohmann::ordered_json library_versions() {
  nlohmann::ordered_json versions = nlohmann::ordered_json::object();
  for (const auto& library : data::libraries_built_with()) versions[library.name] = library.compiled;
  return versions;
}

}  // namespace

void record_start(const std::filesystem::path& folder, const Start& start) {
  std::error_code unknown;
  const nlohmann::ordered_json record{{"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
                                      {"command", command_line()},
                                      {"folder", std::filesystem::current_path(unknown).string()},
                                      {"host", dist::host_name()},
                                      {"ranks", start.ranks},
                                      {"device", start.device},
                                      {"seed", start.seed},
                                      {"step", start.step},
                                      {"parameters", start.parameters},
                                      {"plume", version},
                                      {"commit", commit},
                                      {"compiler", "GCC or compatible " __VERSION__},
                                      {"libraries", library_versions()}};
  const auto path = folder / "starts.jsonl";
  std::ofstream file(path, std::ios::app);
  file << record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n" << std::flush;
  if (!file) throw environment_error("cannot write {}", path.string());
}

}  // namespace plume::unet

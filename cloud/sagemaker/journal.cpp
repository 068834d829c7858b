// Lines of JSON, each synced to the disk.
#include "cloud/sagemaker/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "kernels/base/error.hpp"

namespace plume::cloud {
namespace {

using Json = nlohmann::json;

constexpr std::array<ResourceKind, 3> kinds{ResourceKind::model, ResourceKind::endpoint_config, ResourceKind::endpoint};

// Whether the last line was cut off, so that the next one would be lost with it.
bool is_torn(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream || stream.tellg() <= 0) return false;
  stream.seekg(-1, std::ios::end);
  return stream.get() != '\n';
}

void append(const std::filesystem::path& path, std::string line) {
  if (is_torn(path)) line.insert(0, 1, '\n');
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const bool written =
      file >= 0 && ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!written) throw environment_error("{}: the journal cannot be written: {}", path.string(), std::strerror(error));
}

}  // namespace

Journal::Journal(std::filesystem::path path, std::string run, Clock clock)
    : path_(std::move(path)), run_(std::move(run)), clock_(std::move(clock)) {}

void Journal::note(const char* event, const Resource& resource) {
  const Json line{{"time", iso_time(clock_.now())},
                  {"run", run_},
                  {"event", event},
                  {"kind", name_of(resource.kind)},
                  {"name", resource.name}};
  append(path_, line.dump() + '\n');
}

std::vector<Resource> Journal::left() const {
  std::vector<Resource> left;
  std::ifstream stream(path_);
  for (std::string text; std::getline(stream, text);) {
    const Json line = Json::parse(text, nullptr, false);
    if (!line.is_object()) continue;  // the last one of a run that was killed
    const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                   [&](ResourceKind one) { return line.value("kind", "") == name_of(one); });
    if (kind == kinds.end()) continue;
    const Resource resource{*kind, line.value("name", "")};
    std::erase(left, resource);
    if (line.value("event", "") != "removed") left.push_back(resource);
  }
  return left;
}

std::filesystem::path journal_path(const std::optional<std::string>& state_home, const std::optional<std::string>& home,
                                   const std::string& region, const std::string& endpoint) {
  const std::filesystem::path state =
      state_home ? std::filesystem::path(*state_home) : std::filesystem::path(home.value_or(".")) / ".local/state";
  return state / "plume" / "cloud" / region / (endpoint + ".jsonl");
}

}  // namespace plume::cloud

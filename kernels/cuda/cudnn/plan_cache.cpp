// Reads and writes the file of plans.
#include "kernels/cuda/cudnn/plan_cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "kernels/cuda/note.hpp"

namespace plume::kernels::cuda::cudnn {
namespace {

using Json = nlohmann::json;

constexpr std::string_view format = "plume plans 1";

// flock(2) on the folder itself, so that no lock file is left behind. Waits; without a lock (some network file systems
// have none) two processes may lose each other's latest plans, and no more.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ >= 0) static_cast<void>(::flock(descriptor_, LOCK_EX));
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  int descriptor_;
};

Json to_json(const PlanChoice& choice) {
  return {{"engine", choice.engine}, {"knobs", choice.knobs}, {"milliseconds", choice.milliseconds}};
}

}  // namespace

PlanCache::PlanCache(std::optional<std::filesystem::path> folder, std::size_t version, int architecture)
    : version_(version), architecture_(architecture) {
  if (!folder) return;
  file_ = *folder / fmt::format("cudnn-{}-sm{}.json", version, architecture);
  plans_ = read();
}

std::optional<PlanChoice> PlanCache::find(const std::string& key) const {
  const auto found = plans_.find(key);
  return found == plans_.end() ? std::nullopt : std::optional(found->second);
}

void PlanCache::store(const std::string& key, const PlanChoice& choice) {
  plans_[key] = choice;
  if (file_.empty()) return;
  try {
    write();
  } catch (const std::exception& error) {
    note(fmt::format("{}: plans are not kept: {}", file_.string(), error.what()));
    file_.clear();  // one note is enough
  }
}

PlanCache::Plans PlanCache::read() const {
  std::ifstream stream(file_, std::ios::binary);
  if (!stream) return {};
  try {
    const Json document = Json::parse(stream);
    if (document.at("format") != format || document.at("cudnn") != version_ ||
        document.at("architecture") != architecture_) {
      note(fmt::format("{}: not plans of cuDNN {} on sm{}; they are measured anew", file_.string(), version_,
                       architecture_));
      return {};
    }
    Plans plans;
    for (const auto& [key, plan] : document.at("plans").items()) {
      plans[key] = {plan.at("engine").get<std::int64_t>(), plan.at("knobs").get<decltype(PlanChoice::knobs)>(),
                    plan.at("milliseconds").get<double>()};
    }
    return plans;
  } catch (const Json::exception&) {
    note(fmt::format("{}: damaged; plans are measured anew", file_.string()));
    return {};
  }
}

void PlanCache::write() {
  const auto folder = file_.parent_path();
  std::filesystem::create_directories(folder);
  const FolderLock lock(folder);
  Plans merged = plans_;
  merged.merge(read());  // what this process has wins
  Json plans = Json::object();
  for (const auto& [key, choice] : merged) plans[key] = to_json(choice);
  const Json document{{"format", format}, {"cudnn", version_}, {"architecture", architecture_}, {"plans", plans}};
  AtomicFile file(file_);
  file.write(document.dump(1) + "\n");
  file.commit();
  plans_ = std::move(merged);
}

std::optional<std::filesystem::path> plan_cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  if (const auto folder = variable("PLUME_PLAN_CACHE"); !folder.empty()) {
    return folder == "off" ? std::nullopt : std::optional(std::filesystem::path(folder));
  }
  if (const auto cache = variable("XDG_CACHE_HOME"); !cache.empty()) return std::filesystem::path(cache) / "plume";
  if (const auto home = variable("HOME"); !home.empty()) return std::filesystem::path(home) / ".cache" / "plume";
  return std::nullopt;
}

}  // namespace plume::kernels::cuda::cudnn

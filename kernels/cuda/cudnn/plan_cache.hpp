// Plans that were measured before, on disk: one JSON file per version of cuDNN and compute capability.
//
// The file: {"format": "plume plans 1", "cudnn": 91900, "architecture": 90, "plans": {KEY: {"engine": 11,
// "knobs": [[2, 34], ...], "milliseconds": 0.31}, ...}}, with KEY as PlanKey::text() gives it, engine and knobs as cuDNN
// numbers them. Processes may share it. What cannot be read or is not of this form is passed over with a note and
// replaced at the next store; a folder that cannot be written costs a note and nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace plume::kernels::cuda::cudnn {

struct PlanChoice {
  std::int64_t engine = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> knobs;  // type, value
  double milliseconds = 0;                                   // as measured; 0 where it was not

  bool operator==(const PlanChoice&) const = default;
};

class PlanCache {
 public:
  // Reads what is there. Without a folder plans are kept in memory alone.
  PlanCache(std::optional<std::filesystem::path> folder, std::size_t version, int architecture);

  [[nodiscard]] std::optional<PlanChoice> find(const std::string& key) const;
  // Adds to the file's plans, those that other processes stored meanwhile included.
  void store(const std::string& key, const PlanChoice& choice);

  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

 private:
  using Plans = std::map<std::string, PlanChoice>;
  [[nodiscard]] Plans read() const;
  void write();

  std::filesystem::path file_;  // empty: none
  std::size_t version_;
  int architecture_;
  Plans plans_;
};

// PLUME_PLAN_CACHE where it is set ("off": nothing), else $XDG_CACHE_HOME/plume, else ~/.cache/plume.
[[nodiscard]] std::optional<std::filesystem::path> plan_cache_folder();

}  // namespace plume::kernels::cuda::cudnn

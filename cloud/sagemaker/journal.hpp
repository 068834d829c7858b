// What runs were about to make and have made, on the disk before it is asked for: who is killed leaves a note of what
// may be there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cloud/sagemaker/client.hpp"

namespace plume::cloud {

class Journal {
 public:
  // The file need not be there; a line of JSON is appended for each event. `run` names this run.
  Journal(std::filesystem::path path, std::string run, Clock clock);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& run() const noexcept { return run_; }

  // Returns when it is on the disk. Throws environment_error naming the file.
  void about_to_make(const Resource& resource) { note("make", resource); }
  void made(const Resource& resource) { note("made", resource); }
  void removed(const Resource& resource) { note("removed", resource); }

  // What was to be made, by any run, and has not been removed since; in the order of making.
  [[nodiscard]] std::vector<Resource> left() const;

 private:
  void note(const char* event, const Resource& resource);

  std::filesystem::path path_;
  std::string run_;
  Clock clock_;
};

// Below $XDG_STATE_HOME or ~/.local/state: plume/cloud/REGION/ENDPOINT.jsonl.
[[nodiscard]] std::filesystem::path journal_path(const std::optional<std::string>& state_home,
                                                 const std::optional<std::string>& home, const std::string& region,
                                                 const std::string& endpoint);

}  // namespace plume::cloud

// The last few checkpoints of a training: last.safetensors is the newest, last.1.safetensors the one before, and so on.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace plume::unet {

// age 0: the newest.
[[nodiscard]] std::filesystem::path checkpoint_path(const std::filesystem::path& folder, int age = 0);

// When a new checkpoint is about to replace the newest: that one gets a second name, the older ones move on, and `keep`
// remain with the new one. At no moment is there no checkpoint where there was one.
void make_way(const std::filesystem::path& folder, int keep);

// All that there are, the newest first.
[[nodiscard]] std::vector<std::filesystem::path> checkpoints_in(const std::filesystem::path& folder);

// Where a training goes on from one of them: the newer ones, which are damaged, are renamed to "damaged-NAME", so that none of
// them takes the place of a whole one.
void set_newer_aside(const std::filesystem::path& folder, const std::filesystem::path& resumed);

// The newest one that is whole. note(line) for each newer one that is not. None where there is none at all.
// Throws input_error where there are some, all damaged.
[[nodiscard]] std::optional<std::filesystem::path> newest_whole(const std::filesystem::path& folder,
                                                                const std::function<void(const std::string&)>& note);

}  // namespace plume::unet

// A training small enough for several ranks on one core, and what they were last seen doing.
#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "../scratch_folder.hpp"
#include "dist/heartbeats.hpp"
#include "program.hpp"

namespace plume::tests {

// Packs a few tiles into the folder and writes config.toml beside them: so many steps of a tiny network, a checkpoint every ten,
// one thread a rank. Ranks wait for each other for `deadline` seconds. Returns the configuration's path.
std::string prepare_ranks_training(const ScratchFolder& folder, int steps, double deadline);

// Of the launch that a run's folder knows of; none where none has begun.
[[nodiscard]] std::vector<dist::Heartbeat> heartbeats_in(const std::filesystem::path& run);

// Waits until all ranks have done so many steps; what they were then seen doing, or none where it takes longer than a minute.
[[nodiscard]] std::vector<dist::Heartbeat> wait_for_step(const std::filesystem::path& run, std::size_t ranks,
                                                         std::int64_t step);

// A rank's supervisor.
[[nodiscard]] int parent_of(int process);

// Those of them that still run, after up to five seconds to end.
[[nodiscard]] std::vector<int> left_over(const std::vector<dist::Heartbeat>& beats);

// The lines of plume itself, among those of launchers.
[[nodiscard]] std::vector<std::string> plume_lines(const std::string& errors);

}  // namespace plume::tests

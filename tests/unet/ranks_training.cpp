// Files of a run, read while it goes on.
#include "ranks_training.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>

#include "small_training.hpp"

namespace plume::tests {

using namespace std::chrono_literals;

namespace {

// What the system says of a process under a name; empty where there is none.
std::string status_of(int process, const std::string& name) {
  std::istringstream status(read_file(fmt::format("/proc/{}/status", process)));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return line.substr(std::min(line.size(), name.size() + 1));
  return {};
}

}  // namespace

std::string prepare_ranks_training(const ScratchFolder& folder, int steps, double deadline) {
  const auto shard = small_shard(folder, 25);
  write_file(
      folder / "config.toml",
      fmt::format("[data]\nshard = '{}'\n[model]\nbase = 4\ndepth = 1\n[train]\nsteps = {}\nbatch = 8\ncrop = 16\n"
                  "validate_every = 10\nlog_every = 1\nthreads = 1\n[optimizer]\nname = 'sgd'\nlr = 0.01\n"
                  "[dist]\ndeadline = {}\n",
                  shard.string(), steps, deadline));
  return folder / "config.toml";
}

std::vector<dist::Heartbeat> heartbeats_in(const std::filesystem::path& run) {
  for (const std::string& name : names_in(run / "ranks"))
    if (name.ends_with(".ranks")) return dist::Heartbeats(run / "ranks", std::stoull(name, nullptr, 16)).read();
  return {};
}

std::vector<dist::Heartbeat> wait_for_step(const std::filesystem::path& run, std::size_t ranks, std::int64_t step) {
  for (int i = 0; i < 6000; ++i) {
    auto beats = heartbeats_in(run);
    const bool there = std::all_of(beats.begin(), beats.end(), [&](const auto& beat) { return beat.step >= step; });
    if (beats.size() == ranks && there) return beats;
    std::this_thread::sleep_for(10ms);
  }
  return {};
}

int parent_of(int process) {
  return std::stoi(status_of(process, "PPid:"));
}

std::vector<int> left_over(const std::vector<dist::Heartbeat>& beats) {
  std::vector<int> ranks;
  for (int i = 0; i < 500; ++i) {
    ranks.clear();
    for (const auto& beat : beats) {
      const std::string state = status_of(beat.process, "State:");
      if (!state.empty() && !state.starts_with("Z"))
        ranks.push_back(beat.rank);  // dead, and nobody has asked how it died
    }
    if (ranks.empty()) break;
    std::this_thread::sleep_for(10ms);
  }
  return ranks;
}

std::vector<std::string> plume_lines(const std::string& errors) {
  std::istringstream stream(errors);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);)
    if (line.starts_with("plume: ")) lines.push_back(line);
  return lines;
}

}  // namespace plume::tests

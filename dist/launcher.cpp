// The launchers' variables.
#include "dist/launcher.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "kernels/base/error.hpp"

namespace plume::dist {

Launch launch_from(const std::function<const char*(const char*)>& read) {
  // In this order: mpiexec inside of an allocation is itself started by srun, once a node.
  constexpr std::array names{"PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"};
  const bool in_step = read("SLURM_STEP_ID") != nullptr;
  const bool by_hydra = read("HYDI_CONTROL_FD") != nullptr;
  for (const char* name : names) {
    const char* const text = read(name);
    if (text == nullptr) continue;
    int ranks = 0;
    const auto [end, failed] = std::from_chars(text, text + std::strlen(text), ranks);
    if (failed != std::errc{} || *end != '\0' || ranks < 1)
      throw environment_error("{}={}: this is no number of processes; was it set by hand?", name, text);
    return {ranks, in_step && !by_hydra ? "srun" : "mpiexec", name};
  }
  return {};
}

Launch launch() {
  return launch_from([](const char* name) { return std::getenv(name); });
}

std::string host_name() {
  if (const char* node = std::getenv("SLURMD_NODENAME")) return node;
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace plume::dist

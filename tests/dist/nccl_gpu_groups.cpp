// On GPUs: one rank, and one on each. A process of its own counts them, as CUDA does not survive a fork.
#include <sys/wait.h>
#include <unistd.h>

#include "dist/nccl.hpp"
#include "kernels/stream.hpp"
#include "nccl_groups.hpp"

namespace plume::tests {
namespace {

int usable_gpus() {
  const pid_t process = ::fork();
  if (process == 0) ::_exit(dist::nccl_absence().empty() ? kernels::cuda_device_count() : 0);
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

}  // namespace

std::vector<int> group_sizes() {
  static const int gpus = usable_gpus();
  if (gpus == 0) return {};
  return gpus == 1 ? std::vector<int>{1} : std::vector<int>{1, gpus};
}

}  // namespace plume::tests

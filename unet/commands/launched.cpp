// Alone, or under a supervisor who is told how the work ended.
#include "unet/commands/launched.hpp"

#include "dist/launcher.hpp"
#include "dist/open_mpi.hpp"
#include "unet/command.hpp"

namespace plume::unet {

int run_launched(const dist::Supervision& supervision, const std::function<int(dist::Communicator*)>& work) {
  const dist::Launch launch = dist::launch();
  if (launch.ranks == 1) return work(nullptr);
  return dist::supervise(supervision, [&](dist::Pulse& pulse) {
    const auto communicator = dist::open_mpi(launch, &pulse);
    dist::introduce(*communicator);
    const int code = work(communicator.get());
    if (code == 0) pulse.ending.store(dist::Ending::finished);
    if (code == exit_requeue) pulse.ending.store(dist::Ending::stopped);
    return code;
  });
}

}  // namespace plume::unet

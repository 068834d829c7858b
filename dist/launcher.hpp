// What srun or mpiexec say of the process that they started, before MPI is asked.
#pragma once

#include <functional>
#include <string>

namespace plume::dist {

struct Launch {
  int ranks = 1;         // that were started together
  std::string by;        // "srun", "mpiexec"; empty: by neither, this process is alone
  std::string variable;  // where the number stands
};

// From the environment: MPICH's and Slurm's PMI_SIZE, OpenMPI's OMPI_COMM_WORLD_SIZE, Slurm's SLURM_STEP_NUM_TASKS (which its
// jobs' batch scripts do not have: what is started there without srun is alone). `read` is std::getenv but for tests.
// Throws environment_error where a number is none.
[[nodiscard]] Launch launch_from(const std::function<const char*(const char*)>& read);
[[nodiscard]] Launch launch();

// The name of this machine, or of the node that a simulated Slurm makes of it (SLURMD_NODENAME).
[[nodiscard]] std::string host_name();

}  // namespace plume::dist

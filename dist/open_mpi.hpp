// MPI, opened when a launcher has started several processes: whoever trains alone neither waits for it nor needs it.
#pragma once

#include <memory>

#include "dist/communicator.hpp"
#include "dist/launcher.hpp"

namespace plume::dist {

// The ranks that were launched together; destroying it ends MPI, which all must do. `pulse` (may be null) is watched from the
// start on. The module (plume_mpi.so, built from dist/mpi/ with the MPI that was found) lies beside the program;
// PLUME_MPI names another, for another MPI.
// Throws environment_error where there is no module or no MPI, and where MPI counts other ranks than the launcher started.
[[nodiscard]] std::unique_ptr<Communicator> open_mpi(const Launch& launch, Pulse* pulse);

}  // namespace plume::dist

// What the program and the module that links MPI know of each other.
#pragma once

#include "dist/communicator.hpp"

namespace plume::dist {

inline constexpr const char* mpi_module_name = "plume_mpi.so";
inline constexpr const char* mpi_maker_name = "plume_make_mpi";

// Starts MPI; the caller owns what comes back. Throws environment_error.
using MakeMpi = Communicator*();

}  // namespace plume::dist

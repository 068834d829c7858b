// Finds the module and holds it against what the launcher said.
#include "dist/open_mpi.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "dist/mpi/module.hpp"
#include "kernels/base/dynamic_library.hpp"
#include "kernels/base/error.hpp"

namespace plume::dist {
namespace {

std::vector<std::string> module_names() {
  if (const char* named = std::getenv("PLUME_MPI")) return {named};
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  const auto folder = program.parent_path();
  return {(folder / mpi_module_name).string(), (folder.parent_path() / "lib" / mpi_module_name).string()};
}

}  // namespace

std::unique_ptr<Communicator> open_mpi(const Launch& launch, Pulse* pulse) {
  const auto module = DynamicLibrary::open(module_names());
  if (!module)
    throw environment_error(
        "{} started {} processes, but MPI cannot be opened ({}); build plume where MPI is (Debian and Ubuntu: "
        "libmpich-dev), "
        "or start one process",
        launch.by, launch.ranks, DynamicLibrary::last_failure());
  MakeMpi* make = nullptr;
  module->find(make, mpi_maker_name);
  std::unique_ptr<Communicator> communicator(make());
  if (communicator->size() != launch.ranks)
    throw environment_error(
        "{} started {} processes ({}), but each finds {} in MPI: with srun, say --mpi=pmi2 (or what `srun --mpi=list` "
        "offers for this "
        "MPI); with mpiexec, use the one of {}",
        launch.by, launch.ranks, launch.variable,
        communicator->size() == 1 ? "itself alone" : std::to_string(communicator->size()), communicator->library());
  communicator->watch(pulse);
  return communicator;
}

}  // namespace plume::dist

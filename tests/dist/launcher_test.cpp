// What launchers say.
#include "dist/launcher.hpp"

#include <gtest/gtest.h>

#include <map>

#include "../expect_error.hpp"
#include "kernels/base/error.hpp"

namespace plume::dist {
namespace {

Launch launch_in(const std::map<std::string, std::string>& environment) {
  return launch_from([&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(Launch, OfOneProcess) {
  EXPECT_EQ(launch_in({}).ranks, 1);
  EXPECT_EQ(launch_in({}).by, "");
  // A batch script's own environment: its job has four tasks, but this process is none of them.
  EXPECT_EQ(launch_in({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}}).ranks, 1);
}

TEST(Launch, ByMpiexec) {
  const Launch launch = launch_in({{"PMI_SIZE", "3"}, {"PMI_RANK", "2"}});
  EXPECT_EQ(launch.ranks, 3);
  EXPECT_EQ(launch.by, "mpiexec");
  EXPECT_EQ(launch_in({{"OMPI_COMM_WORLD_SIZE", "5"}}).ranks, 5);
}

TEST(Launch, BySrun) {
  const Launch with_pmi = launch_in({{"PMI_SIZE", "2"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}});
  EXPECT_EQ(with_pmi.ranks, 2);
  EXPECT_EQ(with_pmi.by, "srun");
  const Launch without = launch_in({{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}});
  EXPECT_EQ(without.ranks, 2);
  EXPECT_EQ(without.variable, "SLURM_STEP_NUM_TASKS");
}

// Hydra starts one proxy a node by srun; what counts is what it then starts.
TEST(Launch, ByMpiexecInAnAllocation) {
  const Launch launch =
      launch_in({{"PMI_SIZE", "8"}, {"HYDI_CONTROL_FD", "7"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}});
  EXPECT_EQ(launch.ranks, 8);
  EXPECT_EQ(launch.by, "mpiexec");
}

TEST(Launch, ByWhoKnows) {
  for (const char* wrong : {"", "0", "-1", "two", "2 ", "99999999999"})
    tests::expect_error(
        ErrorKind::environment,
        [&] {
          static_cast<void>(launch_in({{"PMI_SIZE", wrong}}));
        },
        "PMI_SIZE");
}

}  // namespace
}  // namespace plume::dist

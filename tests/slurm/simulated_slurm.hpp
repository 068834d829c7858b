// A Slurm of a test's own: controller, authentication and nodes, all of them processes of this test on this machine, with
// files and ports that nobody else has. Debian's and Ubuntu's slurmd lets one machine be several nodes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../scratch_folder.hpp"
#include "../unet/program.hpp"

namespace plume::tests {

class SimulatedSlurm {
 public:
  // The program that is missing here, of those that it takes; empty: none.
  [[nodiscard]] static std::string missing();

  // Nodes n1, n2, ... of 4 cores each. As on a real machine srun does not know MPI unless it is told. Returns when all nodes are
  // idle; throws std::runtime_error with what the logs say where that takes longer than 30 s.
  explicit SimulatedSlurm(int nodes);
  ~SimulatedSlurm();  // cancels jobs, stops all
  SimulatedSlurm(const SimulatedSlurm&) = delete;
  SimulatedSlurm& operator=(const SimulatedSlurm&) = delete;

  // For commands that are to find it.
  [[nodiscard]] Surroundings surroundings(std::vector<std::string> environment = {}) const;
  [[nodiscard]] Outcome run(const std::vector<std::string>& command) const {
    return run_command(command, surroundings());
  }

  // sbatch with these arguments: the job's number.
  [[nodiscard]] std::string submit(const std::vector<std::string>& arguments,
                                   const std::vector<std::string>& environment = {}) const;
  // What `scontrol show job` has under a name, such as JobState; empty: nothing.
  [[nodiscard]] std::string job(const std::string& number, const std::string& field) const;
  // Waits for the job's end; its last state, such as COMPLETED. Throws where it takes longer than so many seconds.
  [[nodiscard]] std::string wait_for_end(const std::string& number, double seconds) const;

 private:
  void start_authentication();
  void write_configuration(int nodes) const;
  void start(const std::vector<std::string>& daemon);
  void wait_until_idle(int nodes) const;
  void stop();
  [[nodiscard]] std::string logs() const;

  ScratchFolder folder_;
  std::vector<std::unique_ptr<RunningCommand>> daemons_;
};

}  // namespace plume::tests

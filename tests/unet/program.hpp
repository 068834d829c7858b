// Runs the programs `plume` and others as a user would and keeps what it said.
#pragma once

#include <sys/resource.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plume::tests {

struct Outcome {
  int exit_code = -1;  // 128 + signal where one ended it
  std::string output;
  std::string errors;
  long peak_mebibytes = 0;  // of memory
};

struct Surroundings {
  std::vector<std::string> environment;  // entries "NAME=value"
  std::optional<rlim_t> largest_file;    // bytes; writing beyond fails with EFBIG
};

// With arguments as given, no shell in between.
[[nodiscard]] Outcome run_plume(const std::vector<std::string>& arguments, const Surroundings& surroundings = {});

// The program with arguments, to be part of a command.
[[nodiscard]] std::vector<std::string> plume_with(const std::vector<std::string>& arguments);

// Any command: the program, found by PATH, and its arguments.
[[nodiscard]] Outcome run_command(const std::vector<std::string>& command, const Surroundings& surroundings = {});

// plume on so many ranks, started by mpiexec. Only where the tests were configured with an MPI (has_mpi).
[[nodiscard]] bool has_mpi();
[[nodiscard]] Outcome run_ranks(int ranks, const std::vector<std::string>& arguments,
                                const Surroundings& surroundings = {});

// Fails unless it ended with that code and exactly one line on stderr that holds the parts.
void expect_failed(const Outcome& outcome, int code, const std::vector<std::string_view>& parts = {});

// Names in the folder, sorted; none where there is no folder.
[[nodiscard]] std::vector<std::string> names_in(const std::string& folder);

// The same of a training's folder, without TensorBoard's events, whose names hold a time and a process.
[[nodiscard]] std::vector<std::string> names_in_run(const std::string& folder);

// A running command, to be signalled; it is killed with its object, and with the test.
class RunningCommand {
 public:
  RunningCommand(const std::vector<std::string>& command, const std::string& error_file,
                 const Surroundings& surroundings = {});
  ~RunningCommand();
  RunningCommand(const RunningCommand&) = delete;
  RunningCommand& operator=(const RunningCommand&) = delete;
  void signal(int number) const;
  // Waits for its end: exit code as above.
  int wait();
  // The same; none where it has not ended after so many seconds.
  [[nodiscard]] std::optional<int> wait_for(double seconds);

 private:
  int process_ = -1;
};

class RunningPlume : public RunningCommand {
 public:
  RunningPlume(const std::vector<std::string>& arguments, const std::string& error_file);
  // On so many ranks; what is signalled is mpiexec.
  RunningPlume(int ranks, const std::vector<std::string>& arguments, const std::string& error_file,
               const Surroundings& surroundings = {});
};

}  // namespace plume::tests

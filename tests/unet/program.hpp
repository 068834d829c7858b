// Runs the program `plume` as a user would and keeps what it said.
#pragma once

#include <string>
#include <vector>

namespace plume::tests {

struct Outcome {
  int exit_code = -1;  // 128 + signal where one ended it
  std::string output;
  std::string errors;
};

// With arguments as given, no shell in between; environment entries are "NAME=value".
[[nodiscard]] Outcome run_plume(const std::vector<std::string>& arguments,
                                const std::vector<std::string>& environment = {});

// A running program, to be signalled.
class RunningPlume {
 public:
  RunningPlume(const std::vector<std::string>& arguments, const std::string& error_file);
  ~RunningPlume();
  RunningPlume(const RunningPlume&) = delete;
  RunningPlume& operator=(const RunningPlume&) = delete;
  void signal(int number) const;
  // Waits for its end: exit code as above.
  int wait();

 private:
  int process_ = -1;
};

}  // namespace plume::tests

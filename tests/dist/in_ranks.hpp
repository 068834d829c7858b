// Several ranks for one test: processes of this program that know each other by a folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dist/communicator.hpp"

namespace plume::tests {

struct RankOutcome {
  int exit_code = 0;  // as a program's; 1 where an expectation failed; 128 + the signal where it was killed
  std::string error;  // the message of what it threw
};

// Runs the work in `size` processes at once and waits for all. What the work expects (EXPECT_...) is printed where it fails;
// here it shows as an exit code of 1. The caller must have no threads and no CUDA stream.
[[nodiscard]] std::vector<RankOutcome> outcomes_of(int size, const std::function<void(dist::Communicator&)>& work);

// The same where all must end well.
void in_ranks(int size, const std::function<void(dist::Communicator&)>& work);

}  // namespace plume::tests

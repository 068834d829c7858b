// Forks, and files in a scratch folder.
#include "in_ranks.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "../scratch_folder.hpp"
#include "dist/file_group.hpp"
#include "kernels/base/error.hpp"

namespace plume::tests {
namespace {

int run_rank(const ScratchFolder& folder, int rank, int size, const std::function<void(dist::Communicator&)>& work) {
  constexpr double deadline = 60;
  dist::Pulse pulse;
  try {
    const auto communicator = dist::file_group(folder / "group", rank, size, deadline);
    communicator->watch(&pulse);
    work(*communicator);
    return testing::Test::HasFailure() ? 1 : 0;
  } catch (const std::exception& error) {
    write_file(folder / std::to_string(rank), error.what());
    const auto* known = dynamic_cast<const Error*>(&error);
    return known != nullptr ? known->exit_code() : 1;
  }
}

}  // namespace

std::vector<RankOutcome> outcomes_of(int size, const std::function<void(dist::Communicator&)>& work) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "group");
  std::fflush(nullptr);
  std::vector<pid_t> processes;
  for (int rank = 0; rank < size; ++rank) {
    const pid_t process = ::fork();
    if (process == 0) {
      ::alarm(120);
      const int code = run_rank(folder, rank, size, work);
      std::fflush(nullptr);
      ::_exit(code);
    }
    processes.push_back(process);
  }
  std::vector<RankOutcome> outcomes;
  for (int rank = 0; rank < size; ++rank) {
    int status = 0;
    ::waitpid(processes[static_cast<std::size_t>(rank)], &status, 0);
    outcomes.push_back(
        {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), read_file(folder / std::to_string(rank))});
  }
  return outcomes;
}

void in_ranks(int size, const std::function<void(dist::Communicator&)>& work) {
  const auto outcomes = outcomes_of(size, work);
  for (std::size_t rank = 0; rank < outcomes.size(); ++rank)
    EXPECT_EQ(outcomes[rank].exit_code, 0) << "rank " << rank << " of " << size << ": " << outcomes[rank].error;
}

}  // namespace plume::tests

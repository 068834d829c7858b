// One rank's supervisor: a process that has the rank's work done by a child, watches it, and owns the exit code. A rank that
// dies, hangs or leaves without a word is named, and every rank ends in bounded time: the launchers alone see to neither
// (mpiexec gives 0 after a silent exit(0), srun waits for ever for a rank that was killed).
#pragma once

#include <filesystem>
#include <functional>

#include "dist/communicator.hpp"
#include "dist/pulse.hpp"

namespace plume::dist {

struct Supervision {
  std::filesystem::path folder;  // for heartbeats, shared by all ranks; made if need be
  double deadline = 300;         // seconds that a rank may wait for others, and for all to start
  bool heeds_stop = false;       // whether the work stops by itself on SIGINT, SIGTERM and SIGUSR1; else they end it
  double period = 1;             // seconds between looks at others; each publishes so often
};

// Runs `work` in a child process and returns the exit code for main, with one line on stderr, from one of the ranks, where the
// run did not end well. The work must set pulse's ending before it returns 0 or 85, and its rank, size, host and run once
// they are known. An Error that it throws is the line. SIGINT, SIGTERM and SIGUSR1 are passed on to it.
// Call it before there are threads. Exit codes: those of `work`; 4 where a rank was killed, hung or left.
[[nodiscard]] int supervise(const Supervision& supervision, const std::function<int(Pulse&)>& work);

// In the work, first of all: the ranks of this launch get to know each other, in the communicator's pulse.
void introduce(Communicator& communicator);

// What earlier launches left in the folder of heartbeats goes. By one rank, once the folder is this launch's.
void forget_earlier_launches(Communicator& communicator, const std::filesystem::path& folder);

}  // namespace plume::dist

// What every rank of a launch was last seen doing, in one text file that each rank's supervisor keeps its line of: who is
// missing can be read there when a rank no longer answers, by others and by people.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dist/pulse.hpp"

namespace plume::dist {

// A pulse as it was published.
struct Heartbeat {
  int rank = 0;
  std::string host;
  int process = 0;
  std::int64_t step = 0;
  std::string phase;
  std::int64_t since = 0;    // milliseconds since 1970, as all times here
  std::int64_t begun = 0;    // collectives joined
  std::int64_t waiting = 0;  // since when in one; 0: not
  std::int64_t published = 0;
  std::string state;  // "running", "hung" (in a collective), "finished", "stopped"
};

class Heartbeats {
 public:
  // In the folder, which is made if need be, the file of this run. Throws environment_error.
  Heartbeats(const std::filesystem::path& folder, std::uint64_t run);
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;
  ~Heartbeats();

  // Lines have one length, so that each rank writes its own in place.
  void publish(const Heartbeat& beat);
  // Of the ranks that have published so far.
  [[nodiscard]] std::vector<Heartbeat> read() const;

  // Says what ended the run, and the exit code for it; true for the first to say so, who is believed.
  [[nodiscard]] bool blame(const std::string& line, int code);
  // What was said; empty: nothing. And the exit code that goes with it.
  [[nodiscard]] std::string fault() const;
  [[nodiscard]] int fault_code() const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int file_ = -1;
};

[[nodiscard]] Heartbeat heartbeat_of(const Pulse& pulse, int process);

// Whom a rank that has waited too long waits for, as a line: who hangs in a collective, or has not published for `silence`
// milliseconds, or else who has joined the fewest collectives. Of no rank where all are as far as each other.
[[nodiscard]] std::string whom_to_blame(const std::vector<Heartbeat>& beats, int ranks, std::int64_t now,
                                        std::int64_t silence);

// "rank 3 on jwb0123: step 412, phase data, 61 s ago"
[[nodiscard]] std::string last_seen(const Heartbeat& beat, std::int64_t now);

// Removes what earlier launches left in the folder.
void forget_earlier_runs(const std::filesystem::path& folder, std::uint64_t run);

}  // namespace plume::dist

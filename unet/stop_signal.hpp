// SIGINT and SIGTERM as a request to finish the step at hand, save and stop.
#pragma once

#include <atomic>

namespace plume::unet {

// Handlers are in place while an object lives. After a second SIGINT a third one ends the process at once; SIGTERM may be
// repeated without harm.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // For what must not be left half done: SIGHUP counts too, unless nohup has it ignored, and output that nobody reads
  // is no reason to die.
  void outlive_terminal();

  [[nodiscard]] static bool requested() noexcept { return flag().load(); }
  // The same, for who looks at it by itself.
  [[nodiscard]] static const std::atomic<bool>& flag() noexcept;

 private:
  bool outlives_terminal_ = false;
};

}  // namespace plume::unet

// SIGINT and SIGTERM as a request to finish the step at hand, save and stop.
#pragma once

namespace plume::unet {

// Handlers are in place while an object lives; a second SIGINT ends the process at once, as usual.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  [[nodiscard]] static bool requested() noexcept;
};

}  // namespace plume::unet

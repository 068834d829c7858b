// The handlers behind StopSignal.
#include "unet/stop_signal.hpp"

#include <csignal>

namespace plume::unet {
namespace {

// Read by any thread, written by a handler: only a lock-free atomic may be both.
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int signal) {
  // A person who presses Ctrl-C again means it; schedulers and `timeout` repeat SIGTERM as a matter of course.
  if (signal == SIGINT && stop_requested.load()) std::signal(SIGINT, SIG_DFL);
  stop_requested.store(true);
}

void handle_hangup(void (*handler)(int)) {
  if (std::signal(SIGHUP, handler) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // nohup's wish
}

}  // namespace

StopSignal::StopSignal() {
  stop_requested.store(false);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::signal(SIGUSR1, on_signal);
  // A rank's supervisor has them held back until there is somebody to hear them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, signal);
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

void StopSignal::outlive_terminal() {
  outlives_terminal_ = true;
  std::signal(SIGPIPE, SIG_IGN);
  handle_hangup(on_signal);
}

StopSignal::~StopSignal() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGUSR1, SIG_DFL);
  if (outlives_terminal_) handle_hangup(SIG_DFL);  // SIGPIPE stays ignored: what was printed is still to be written out
}

const std::atomic<bool>& StopSignal::flag() noexcept {
  return stop_requested;
}

}  // namespace plume::unet

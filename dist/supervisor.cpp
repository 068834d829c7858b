// A fork, a pulse in shared memory, and a loop that looks at it a few times a second.
#include "dist/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <random>
#include <string>

#include "dist/heartbeats.hpp"
#include "dist/launcher.hpp"
#include "kernels/base/error.hpp"

namespace plume::dist {
namespace {

constexpr int environment_code = static_cast<int>(ErrorKind::environment);
constexpr int requeue_code = 85;
constexpr int look_milliseconds = 50;

std::atomic<pid_t> child_process{0};

void pass_on(int signal) {
  if (const pid_t child = child_process.load(); child > 0) ::kill(child, signal);
}

Pulse* shared_pulse() {
  void* const memory = ::mmap(nullptr, sizeof(Pulse), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw environment_error("no memory for a rank's supervisor: {}", std::strerror(errno));
  return new (memory) Pulse;
}

void note_error(Pulse& pulse, const char* text) {
  std::strncpy(pulse.error.data(), text, pulse.error.size() - 1);
}

void mask_signals(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, signal);
  sigprocmask(how, &signals, nullptr);
}

[[noreturn]] void run_child(const Supervision& supervision, const std::function<int(Pulse&)>& work, Pulse& pulse,
                            pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(environment_code);  // it was killed in between
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) static_cast<void>(std::signal(signal, SIG_DFL));
  // A request to stop must not kill a rank that will listen but does not yet; it stays pending.
  if (!supervision.heeds_stop) mask_signals(SIG_UNBLOCK);
  int code = 1;
  try {
    code = work(pulse);
  } catch (const Error& error) {
    note_error(pulse, error.what());
    code = error.exit_code();
  } catch (const std::bad_alloc&) {
    note_error(pulse, "out of memory");
    code = environment_code;
  } catch (const std::exception& error) {
    note_error(pulse, (std::string("internal error: ") + error.what()).c_str());
  }
  if (std::fflush(nullptr) != 0 && code == 0) code = environment_code;
  ::_exit(code);
}

class Supervisor {
 public:
  Supervisor(const Supervision& supervision, Pulse& pulse, pid_t child)
      : supervision_(supervision), pulse_(pulse), child_(child), started_(milliseconds_now()) {}

  int run() {
    for (;;) {
      int status = 0;
      if (::waitpid(child_, &status, WNOHANG) == child_) return judge(status);
      if (const auto code = look()) {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, &status, 0);
        return *code;
      }
      ::poll(nullptr, 0, look_milliseconds);
    }
  }

 private:
  [[nodiscard]] std::int64_t deadline() const { return static_cast<std::int64_t>(supervision_.deadline * 1000); }
  [[nodiscard]] std::int64_t period() const { return static_cast<std::int64_t>(supervision_.period * 1000); }

  // After which nothing heard is a sign, well before others' deadline; file systems take seconds to show what was written.
  [[nodiscard]] std::int64_t silence() const { return 5 * period() + std::min<std::int64_t>(deadline() / 4, 5000); }

  // An exit code where this rank must end now.
  std::optional<int> look() {
    const std::int64_t now = milliseconds_now();
    if (pulse_.ending.load() != Ending::none) return look_at_end(now);
    if (pulse_.run.load() == 0) {
      if (now - started_ <= deadline()) return std::nullopt;
      return say(fmt::format("the ranks did not find each other in {} s: this one, on {}, was started, another was not",
                             supervision_.deadline, host_name()));
    }
    if (now - last_look_ < period()) return std::nullopt;
    last_look_ = now;
    if (!beats_) join_others();
    publish();
    if (beats_ && !beats_->fault().empty()) return beats_->fault_code();  // another has said why
    const std::int64_t waiting = pulse_.waiting.load();
    if (waiting == 0 || now - waiting <= deadline()) return std::nullopt;
    return say(hangs(now)
                   ? fmt::format("{} has hung in a collective for {} s", who(), (now - pulse_.looked.load()) / 1000)
                   : fmt::format("rank {} on {} has waited {} s for others; {}", pulse_.rank.load(), pulse_.host.data(),
                                 (now - waiting) / 1000,
                                 beats_ ? whom_to_blame(beats_->read(), pulse_.size.load(), now, silence())
                                        : "for whom, it cannot read"));
  }

  // Whether this rank is in a collective but does not even ask whether that is done: it was stopped there, or a library
  // or the system holds it. The others wait in the same collective, all as far as each other.
  [[nodiscard]] bool hangs(std::int64_t now) const {
    return pulse_.waiting.load() != 0 && now - pulse_.looked.load() > silence();
  }

  // What it came for is done; that it cannot leave MPI, because another has died there, changes nothing.
  std::optional<int> look_at_end(std::int64_t now) {
    if (ended_ == 0) {
      ended_ = now;
      publish();
    }
    if (now - ended_ <= std::min<std::int64_t>(deadline(), 20'000)) return std::nullopt;
    return pulse_.ending.load() == Ending::stopped ? requeue_code : 0;
  }

  int judge(int status) {
    if (pulse_.run.load() != 0 && !beats_) join_others();
    const Ending ending = pulse_.ending.load();
    publish();
    if (WIFSIGNALED(status)) {
      const int signal = WTERMSIG(status);
      if (ending != Ending::none) return ending == Ending::stopped ? requeue_code : 0;
      return say(fmt::format("{} was killed by signal {} ({})", who(), signal, ::strsignal(signal)), environment_code);
    }
    const int code = WEXITSTATUS(status);
    const bool told = code == 0 ? ending == Ending::finished : code == requeue_code && ending == Ending::stopped;
    if (told) return code;
    if (pulse_.error[0] != '\0') {
      const std::string error = pulse_.error.data();
      return say(pulse_.rank.load() > 0
                     ? fmt::format("rank {} on {}: {}", pulse_.rank.load(), pulse_.host.data(), error)
                     : error,
                 code);
    }
    return say(fmt::format("{} left with exit code {} before the end", who(), code),
               code == 0 || code == requeue_code ? environment_code : code);
  }

  [[nodiscard]] std::string who() const {
    if (pulse_.rank.load() < 0) return fmt::format("a rank on {}", host_name());
    const Heartbeat beat = heartbeat_of(pulse_, child_);
    return fmt::format("rank {} on {} (step {}, phase {})", beat.rank, beat.host, beat.step, beat.phase);
  }

  void join_others() {
    try {
      beats_.emplace(supervision_.folder, pulse_.run.load());
    } catch (const Error& error) {
      if (!said_) fmt::print(stderr, "plume: {}; ranks that hang cannot be named\n", error.what());
      said_ = true;
    }
  }

  void publish() {
    if (!beats_) return;
    Heartbeat beat = heartbeat_of(pulse_, child_);
    if (beat.state == "running" && hangs(beat.published)) beat.state = "hung";
    beats_->publish(beat);
  }

  // Once for all ranks, which then end with the code of the one that said it.
  int say(const std::string& line, int code = environment_code) {
    if (beats_ && !beats_->blame(line, code)) return beats_->fault_code();
    fmt::print(stderr, "plume: {}\n", line);
    return code;
  }

  const Supervision& supervision_;
  Pulse& pulse_;
  pid_t child_;
  std::int64_t started_;
  std::int64_t last_look_ = 0;
  std::int64_t ended_ = 0;
  std::optional<Heartbeats> beats_;
  bool said_ = false;
};

}  // namespace

int supervise(const Supervision& supervision, const std::function<int(Pulse&)>& work) {
  Pulse& pulse = *shared_pulse();
  const pid_t parent = ::getpid();
  static_cast<void>(std::fflush(nullptr));
  mask_signals(SIG_BLOCK);  // until there is someone to pass them on to
  const pid_t child = ::fork();
  if (child < 0) throw environment_error("cannot start a rank: {}", std::strerror(errno));
  if (child == 0) run_child(supervision, work, pulse, parent);
  child_process.store(child);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) static_cast<void>(std::signal(signal, pass_on));
  mask_signals(SIG_UNBLOCK);
  return Supervisor(supervision, pulse, child).run();
}

void introduce(Communicator& communicator) {
  Pulse& pulse = *communicator.pulse();
  std::uint64_t run = std::random_device{}() | std::uint64_t{std::random_device{}()} << 32U | 1U;
  communicator.broadcast(&run, sizeof run);
  std::strncpy(pulse.host.data(), host_name().c_str(), pulse.host.size() - 1);
  pulse.size.store(communicator.size());
  pulse.rank.store(communicator.rank());
  pulse.run.store(run);
}

void forget_earlier_launches(Communicator& communicator, const std::filesystem::path& folder) {
  if (const Pulse* pulse = communicator.pulse()) forget_earlier_runs(folder, pulse->run.load());
}

}  // namespace plume::dist

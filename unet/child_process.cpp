// fork, a pipe for the answer, and limits for the child.
#include "unet/child_process.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <new>
#include <string_view>
#include <system_error>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

constexpr rlim_t processor_seconds = 10;
constexpr unsigned wall_seconds = 60;  // a child that waits, say for a dead network disk, uses no processor
constexpr char result_tag = 'R';       // else the answer starts with an ErrorKind and goes on with its message
constexpr std::string_view no_memory = "there is not enough memory to read it";

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string read_all(int descriptor) {
  std::string bytes;
  std::array<char, 1 << 16> block;
  for (;;) {
    const ssize_t got = ::read(descriptor, block.data(), block.size());
    if (got > 0) bytes.append(block.data(), static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) return bytes;
  }
}

void set_limits() {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  // The first limit sends SIGXCPU, the second SIGKILL, which shall mean only that the system wants memory back.
  const rlimit seconds{processor_seconds, processor_seconds + 10};
  ::setrlimit(RLIMIT_CPU, &seconds);
  std::signal(SIGXCPU, SIG_DFL);
  std::signal(SIGALRM, SIG_DFL);
  ::alarm(wall_seconds);
}

[[noreturn]] void act(const std::function<std::string()>& action, int answer) {
  set_limits();
  if (const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC); null >= 0) ::dup2(null, STDERR_FILENO);
  bool sent = false;
  try {
    sent = write_all(answer, result_tag + action());
  } catch (const Error& error) {
    sent = write_all(answer, static_cast<char>(error.kind()) + std::string(error.what()));
  } catch (const std::bad_alloc&) {
    constexpr char kind = static_cast<char>(ErrorKind::environment);
    sent = write_all(answer, {&kind, 1}) && write_all(answer, no_memory);  // building one text would take memory
  } catch (...) {                                                          // no answer is the answer
  }
  ::_exit(sent ? 0 : 1);  // not exit(): the parent's buffers and handlers are not the child's to flush and run
}

Error no_process() {
  return environment_error("cannot start a process ({})", std::generic_category().message(errno));
}

}  // namespace

std::string run_in_child(const std::function<std::string()>& action) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw no_process();
  const pid_t child = ::fork();
  if (child == 0) act(action, ends[1]);
  ::close(ends[1]);
  const std::string answer = child > 0 ? read_all(ends[0]) : std::string();
  ::close(ends[0]);
  if (child < 0) throw no_process();

  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) throw environment_error("{}", no_memory);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || answer.empty()) {
    throw input_error("damaged: reading it crashes or does not end");
  }
  if (answer[0] != result_tag) throw Error(static_cast<ErrorKind>(answer[0]), answer.substr(1));
  return answer.substr(1);
}

}  // namespace plume::unet

// fork, a pipe for the answer, and limits for the child.
#include "unet/child_process.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

constexpr rlim_t limit_seconds = 10;
constexpr char result_tag = 'R';  // else the answer starts with an ErrorKind and goes on with its message

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

[[noreturn]] void act(const std::function<std::string()>& action, int answer) {
  const rlimit no_core{0, 0};
  const rlimit seconds{limit_seconds, limit_seconds};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::setrlimit(RLIMIT_CPU, &seconds);
  if (const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC); null >= 0) ::dup2(null, STDERR_FILENO);
  bool sent = false;
  try {
    sent = write_all(answer, result_tag + action());
  } catch (const Error& error) {
    sent = write_all(answer, static_cast<char>(error.kind()) + std::string(error.what()));
  } catch (...) {  // out of memory, say: no answer is the answer
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
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || answer.empty()) {
    throw input_error("damaged: reading it crashes or does not end");
  }
  if (answer[0] != result_tag) throw Error(static_cast<ErrorKind>(answer[0]), answer.substr(1));
  return answer.substr(1);
}

}  // namespace plume::unet

// Starting and ending processes.
#include "program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "../scratch_folder.hpp"

namespace plume::tests {
namespace {

int start(std::vector<std::string> command, const Surroundings& surroundings, const std::string& output,
          const std::string& errors) {
  const int process = ::fork();
  if (process < 0) throw std::runtime_error("cannot fork");
  if (process > 0) return process;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto redirect = [](const std::string& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(file, descriptor);
  };
  redirect(output, STDOUT_FILENO);
  redirect(errors, STDERR_FILENO);
  if (surroundings.largest_file) {
    const rlimit limit{*surroundings.largest_file, *surroundings.largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);  // stays so over exec
  }
  for (const std::string& entry : surroundings.environment) ::putenv(const_cast<char*>(entry.c_str()));
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  ::_exit(127);
}

std::vector<std::string> on_ranks(int ranks, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{PLUME_MPIEXEC, "-n", std::to_string(ranks)};
  for (const std::string& word : plume_with(arguments)) command.push_back(word);
  return command;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::vector<std::string> plume_with(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{PLUME_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

Outcome run_command(const std::vector<std::string>& command, const Surroundings& surroundings) {
  const ScratchFolder folder;
  const std::string output = folder / "output";
  const std::string errors = folder / "errors";
  int status = 0;
  rusage usage{};
  ::wait4(start(command, surroundings, output, errors), &status, 0, &usage);
  return {exit_code(status), read_file(output), read_file(errors), usage.ru_maxrss / 1024};
}

Outcome run_plume(const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  return run_command(plume_with(arguments), surroundings);
}

bool has_mpi() {
  return !std::string_view(PLUME_MPIEXEC).empty();
}

Outcome run_ranks(int ranks, const std::vector<std::string>& arguments, const Surroundings& surroundings) {
  return run_command(on_ranks(ranks, arguments), surroundings);
}

void expect_failed(const Outcome& outcome, int code, const std::vector<std::string_view>& parts) {
  EXPECT_EQ(outcome.exit_code, code) << outcome.errors;
  EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  EXPECT_TRUE(outcome.errors.starts_with("plume: ") || outcome.errors.starts_with("plume-infer: ")) << outcome.errors;
  for (const std::string_view part : parts) {
    EXPECT_NE(outcome.errors.find(part), std::string::npos) << outcome.errors << "lacks " << part;
  }
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  if (std::filesystem::exists(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> names_in_run(const std::string& folder) {
  std::vector<std::string> names = names_in(folder);
  std::erase_if(names, [](const std::string& name) { return name.starts_with("events.out.tfevents."); });
  return names;
}

RunningCommand::RunningCommand(const std::vector<std::string>& command, const std::string& error_file,
                               const Surroundings& surroundings)
    : process_(start(command, surroundings, "/dev/null", error_file)) {}

RunningCommand::~RunningCommand() {
  if (process_ > 0) {
    signal(SIGKILL);
    wait();
  }
}

void RunningCommand::signal(int number) const {
  ::kill(process_, number);
}

int RunningCommand::wait() {
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
  return exit_code(status);
}

std::optional<int> RunningCommand::wait_for(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  int status = 0;
  while (::waitpid(process_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) return std::nullopt;
    ::usleep(10'000);
  }
  process_ = -1;
  return exit_code(status);
}

RunningPlume::RunningPlume(const std::vector<std::string>& arguments, const std::string& error_file)
    : RunningCommand(plume_with(arguments), error_file) {}

RunningPlume::RunningPlume(int ranks, const std::vector<std::string>& arguments, const std::string& error_file,
                           const Surroundings& surroundings)
    : RunningCommand(on_ranks(ranks, arguments), error_file, surroundings) {}

}  // namespace plume::tests

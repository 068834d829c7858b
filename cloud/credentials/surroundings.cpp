// The process's environment, files and children.
#include "cloud/credentials/surroundings.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cloud/signing/headers.hpp"
#include "cloud/signing/secret.hpp"

namespace plume::cloud {
namespace {

std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return std::nullopt;
  return text;
}

std::string output_of(const std::string& command) {
  std::FILE* const pipe =
      ::popen(command.c_str(), "re");  // NOLINT(cert-env33-c): that is what the user's file asks for
  if (pipe == nullptr) throw cloud_error(Failure::credentials, "credential_process cannot be started: out of memory?");
  std::string output;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), size);
  wipe(buffer.data(), buffer.size());
  const int status = ::pclose(pipe);
  if (status != 0)
    throw cloud_error(Failure::credentials, "credential_process ended with {}; run it by hand to see why",
                      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return output;
}

// A core would hold keys, and who may attach a debugger could read them; of a process that may not be dumped the kernel
// allows neither.
void keep_out_of_cores() {
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace

bool is_true(std::string_view text) {
  return same_but_for_case(text, "true");
}

std::optional<std::string> Surroundings::word(const std::string& name) const {
  auto value = variable(name);
  if (!value) return std::nullopt;
  const std::size_t begin = value->find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return std::nullopt;
  return value->substr(begin, value->find_last_not_of(" \t\r\n") - begin + 1);
}

bool Surroundings::flag(const std::string& name) const {
  const auto value = word(name);
  return value && is_true(*value);
}

Surroundings system_surroundings(Transport* transport) {
  keep_out_of_cores();
  Surroundings surroundings;
  surroundings.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  surroundings.warn = [](const std::string& text) { fmt::print(stderr, "plume: warning: {}\n", text); };
  surroundings.file = [](const std::filesystem::path& path) -> std::optional<std::string> {
    auto text = read_file(path);
    const bool secret = text && text->find("aws_secret_access_key") != std::string::npos;
    struct stat status {};
    const bool others = ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
    if (others && (secret || path.filename() == "credentials"))
      fmt::print(stderr, "plume: warning: {} can be read by others: chmod 600 {}\n", path.string(), path.string());
    return text;
  };
  surroundings.run = output_of;
  surroundings.transport = transport;
  surroundings.clock = system_clock();
  return surroundings;
}

}  // namespace plume::cloud

// All that keys and settings are looked for in, handed in so that a test can say what is there.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cloud/client/clock.hpp"
#include "cloud/http/transport.hpp"

namespace plume::cloud {

struct Surroundings {
  // An environment variable; nothing where it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // A file's contents; nothing where it cannot be read.
  std::function<std::optional<std::string>(const std::filesystem::path&)> file;
  // What a shell command prints; throws cloud::Error (credentials) where it fails.
  std::function<std::string(const std::string& command)> run;
  // Something a user should know.
  std::function<void(const std::string&)> warn;
  Transport* transport = nullptr;
  Clock clock;

  // Set, and with more than blanks in it.
  [[nodiscard]] std::optional<std::string> word(const std::string& name) const;
  // Set to true, in any case.
  [[nodiscard]] bool flag(const std::string& name) const;
};

// The system's. Warns of files with credentials that others may read. Who asks for it is about to hold secrets: from
// then on the process leaves no core.
[[nodiscard]] Surroundings system_surroundings(Transport* transport = nullptr);

[[nodiscard]] bool is_true(std::string_view text);

}  // namespace plume::cloud

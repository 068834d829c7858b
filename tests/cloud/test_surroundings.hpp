// Variables and files that a test makes up.
#pragma once

#include <map>
#include <string>

#include "cloud/credentials/surroundings.hpp"
#include "scripted_transport.hpp"
#include "test_clock.hpp"

namespace plume::tests {

struct TestSurroundings {
  std::map<std::string, std::string> variables{{"HOME", "/home"}};
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> commands;  // what each prints
  std::vector<std::string> warnings;
  ScriptedTransport transport;
  TestClock clock;

  // Of this, which must outlive it.
  [[nodiscard]] cloud::Surroundings surroundings() {
    const auto look_up = [](const auto& map, const std::string& name) -> std::optional<std::string> {
      const auto found = map.find(name);
      return found == map.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    cloud::Surroundings surroundings;
    surroundings.variable = [this, look_up](const std::string& name) { return look_up(variables, name); };
    surroundings.file = [this, look_up](const std::filesystem::path& path) { return look_up(files, path.string()); };
    surroundings.run = [this](const std::string& command) { return commands.at(command); };
    surroundings.warn = [this](const std::string& text) { warnings.push_back(text); };
    surroundings.transport = &transport;
    surroundings.clock = clock.clock();
    return surroundings;
  }
};

}  // namespace plume::tests

// plume doctor
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "data/libraries.hpp"
#include "kernels/stream.hpp"
#include "unet/command.hpp"
#include "unet/version.hpp"

namespace plume::unet {
namespace {

nlohmann::ordered_json examine() {
  nlohmann::ordered_json report;
  report["plume"] = version;
  report["compiler"] = "GCC or compatible " __VERSION__;
  report["cores"] = std::thread::hardware_concurrency();
  report["threads"] = kernels::CpuStream().threads();
  report["instructions"] = kernels::instruction_set();
  report["devices"] = {"cpu"};
  for (const auto& library : data::libraries()) {
    report["libraries"][library.name] = {{"compiled", library.compiled}, {"loaded", library.loaded}};
  }
  return report;
}

int run_doctor(bool json) {
  const auto report = examine();
  if (json) {
    fmt::print("{}\n", report.dump(2));
    return 0;
  }
  const auto text = [&](const char* key) {
    return report[key].is_string() ? report[key].get<std::string>() : report[key].dump();
  };
  fmt::print("plume {} ({})\n", text("plume"), text("compiler"));
  fmt::print("CPU: {} cores, {} threads in use, {} instructions\n", text("cores"), text("threads"),
             text("instructions"));
  fmt::print("GPU: this build has no CUDA\n");
  for (const auto& [name, versions] : report["libraries"].items()) {
    fmt::print("{}: compiled against {}, loaded {}\n", name, versions["compiled"].get<std::string>(),
               versions["loaded"].get<std::string>());
  }
  return 0;
}

}  // namespace

void add_doctor_command(CLI::App& app, Action& action) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("doctor", "Tells what this build and this machine can do");
  command->add_flag("--json", *json, "Report as JSON");
  command->footer("Example: plume doctor --json");
  command->callback([json, &action] { action = [json] { return run_doctor(*json); }; });
}

}  // namespace plume::unet

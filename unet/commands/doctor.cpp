// plume doctor
#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "data/libraries.hpp"
#include "kernels/base/error.hpp"
#include "kernels/cuda/info.hpp"
#include "kernels/stream.hpp"
#include "nn/initialize.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"
#include "unet/compare.hpp"
#include "unet/families.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/network.hpp"
#include "unet/version.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  bool json = false;
  std::vector<std::string> compare;
  std::string model;
  DeviceSettings device;  // how precise the second device is to be; the first is f32, direct convolutions
};

nlohmann::ordered_json examine() {
  nlohmann::ordered_json report;
  report["plume"] = version;
  report["compiler"] = "GCC or compatible " __VERSION__;
  report["cores"] = std::thread::hardware_concurrency();
  report["threads"] = kernels::CpuStream().threads();
  report["instructions"] = kernels::instruction_set();
  report["devices"] = {"cpu"};
  const kernels::CudaInfo cuda = kernels::cuda_info();
  report["cuda"] = {{"compiled", cuda.compiled},
                    {"driver", cuda.driver},
                    {"devices", nlohmann::ordered_json::array()},
                    {"obstacle", cuda.obstacle}};
  for (const auto& device : cuda.devices) {
    report["devices"].push_back("cuda");
    report["cuda"]["devices"].push_back(
        {{"name", device.name}, {"architecture", device.architecture}, {"memory", device.memory}});
  }
  for (const auto& library : data::libraries()) {
    report["libraries"][library.name] = {
        {"compiled", library.compiled}, {"loaded", library.loaded}, {"failure", library.failure}};
  }
  return report;
}

// What there is of CUDA, in words.
std::string cuda_text(const nlohmann::ordered_json& cuda) {
  if (cuda["compiled"] == "") return "GPU: this build has no CUDA\n";
  const auto compiled = cuda["compiled"].get<std::string>();
  if (cuda["devices"].empty())
    return fmt::format("GPU: built with CUDA {}; {}; the CPU computes\n", compiled,
                       cuda["obstacle"].get<std::string>());
  std::string text =
      fmt::format("GPU: built with CUDA {}, driver for {}\n", compiled, cuda["driver"].get<std::string>());
  for (const auto& device : cuda["devices"]) {
    const int architecture = device["architecture"];
    text += fmt::format("GPU: {}, compute capability {}.{}, {:.1f} GiB\n", device["name"].get<std::string>(),
                        architecture / 10, architecture % 10, device["memory"].get<double>() / (1 << 30));
  }
  return text;
}

int tell(bool json) {
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
  fmt::print("{}", cuda_text(report["cuda"]));
  for (const auto& [name, versions] : report["libraries"].items()) {
    const auto loaded = versions["loaded"].get<std::string>();
    fmt::print("{}: compiled against {}, {}\n", name, versions["compiled"].get<std::string>(),
               loaded.empty() ? versions["failure"].get<std::string>() : "loaded " + loaded);
  }
  return 0;
}

// The model's graph and parameters; without one those of a small network of each kind of layer.
std::pair<Graph, std::vector<nn::NamedTensor>> network_to_compare(const std::string& path) {
  Network network =
      path.empty() ? Network(build_graph({Family::classic, 6, 1, 16, 3, Up::transposed, 32})) : load_model(path);
  if (path.empty()) nn::initialize(network.parameters(), nn::Initializer::he, 1);
  std::vector<nn::NamedTensor> tensors;
  for (const auto& info : network.parameters().all()) tensors.push_back(network.parameters().to_named(info));
  return {network.graph(), tensors};
}

DeviceKind device_named(const std::string& name) {
  for (const auto& [known, kind] : device_names) {
    if (known == name) return kind;
  }
  throw usage_error("--compare {}: not one of auto, cpu, cuda", name);
}

int compare(const Arguments& arguments) {
  if (arguments.compare.size() != 2) throw usage_error("--compare takes two devices, for example cpu,cuda");
  const DeviceSettings reference{device_named(arguments.compare[0]), Precision::f32, kernels::ConvPolicy::direct};
  const DeviceSettings other{device_named(arguments.compare[1]), arguments.device.precision, arguments.device.conv};
  const auto [graph, tensors] = network_to_compare(arguments.model);
  const Comparison result = compare_devices(graph, tensors, reference, other);
  const double tolerance = comparison_tolerance(other.precision);
  const auto print = [](const char* what, const std::vector<LayerDifference>& rows) {
    fmt::print("{:<40} {:>12} {:>12}\n", what, "largest", "relative");
    for (const auto& row : rows) fmt::print("{:<40} {:>12.3e} {:>12.3e}\n", row.layer, row.largest, row.relative);
  };
  print("output of", result.outputs);
  print("gradients of", result.gradients);
  fmt::print("loss {:.9g}, apart by {:.3e}; largest relative difference {:.3e}, tolerance {:.0e}\n", result.loss,
             result.loss_difference, result.worst, tolerance);
  if (result.worst <= tolerance) return 0;
  throw environment_error("{} and {} differ by more than rounding explains", arguments.compare[0],
                          arguments.compare[1]);
}

}  // namespace

void add_doctor_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("doctor", "Tells what this build and this machine can do");
  command->add_flag("--json", arguments->json, "Report as JSON");
  command
      ->add_option("--compare", arguments->compare,
                   "Run a network on two devices, cpu,cuda, and print how far each layer's values and gradients part")
      ->delimiter(',');
  command->add_option("--model", arguments->model, "The network to compare on; a small drawn one if none is given");
  add_arithmetic_options(*command, arguments->device);
  command->footer("Example: plume doctor --compare cpu,cuda");
  command->callback([arguments, &action] {
    action = [arguments] { return arguments->compare.empty() ? tell(arguments->json) : compare(*arguments); };
  });
}

}  // namespace plume::unet

// Benchmarks of plume on a GPU: gpu_bench [--edge=N] [--batch=N] [--bases=N,N...] [--quick] [Google Benchmark's options]
// Exit status 4, with one line that says why, where there is no device.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/error.hpp"
#include "kernels/cuda/info.hpp"
#include "work.hpp"

namespace {

using plume::bench::Work;

// The numbers behind `name`= in an argument.
std::optional<std::vector<int>> numbers(std::string_view argument, std::string_view name) {
  if (!argument.starts_with(name)) return std::nullopt;
  std::vector<int> values;
  std::istringstream text{std::string(argument.substr(name.size()))};
  for (std::string part; std::getline(text, part, ',');) {
    char* end = nullptr;
    const long value = std::strtol(part.c_str(), &end, 10);
    if (end == part.c_str() || *end != 0 || value < 1 || value > 1 << 14) {
      throw plume::usage_error("{}: not numbers from 1 to 16384", argument);
    }
    values.push_back(static_cast<int>(value));
  }
  if (values.empty()) throw plume::usage_error("{}: no number", argument);
  return values;
}

// Takes our options out of the arguments; what is left is Google Benchmark's.
Work take_options(std::vector<char*>& arguments) {
  Work work;
  std::erase_if(arguments, [&](const char* argument) {
    if (const auto edge = numbers(argument, "--edge=")) {
      work.edge = edge->front();
    } else if (const auto batch = numbers(argument, "--batch=")) {
      work.batch = batch->front();
    } else if (const auto bases = numbers(argument, "--bases=")) {
      work.bases = *bases;
    } else if (std::string_view(argument) == "--quick") {
      work.quick = true;
    } else {
      return false;
    }
    return true;
  });
  return work;
}

// The first device, told to Google Benchmark's report.
void describe_machine() {
  const plume::kernels::CudaInfo info = plume::kernels::cuda_info();
  if (info.compiled.empty()) throw plume::environment_error("no GPU to measure: this program was built without CUDA");
  if (info.devices.empty()) {
    throw plume::environment_error("no GPU to measure: {}",
                                   info.driver.empty() ? std::string("this machine has no NVIDIA driver")
                                                       : "the driver, for CUDA " + info.driver +
                                                             ", shows no device to a program of CUDA " + info.compiled);
  }
  const auto& device = info.devices.front();
  benchmark::AddCustomContext("gpu", device.name);
  benchmark::AddCustomContext("compute_capability", std::to_string(device.architecture));
  benchmark::AddCustomContext("gpu_bytes", std::to_string(device.memory));
  benchmark::AddCustomContext("cuda_driver", info.driver);
  benchmark::AddCustomContext("cuda_compiled", info.compiled);
}

}  // namespace

benchmark::internal::Benchmark* plume::bench::add_benchmark(const std::string& name, int iterations,
                                                            const std::function<void(benchmark::State&)>& body) {
  return benchmark::RegisterBenchmark(name.c_str(), body)->Iterations(iterations)->UseManualTime();
}

int main(int argc, char** argv) {
  try {
    std::vector<char*> arguments(argv, argv + argc);
    const Work work = take_options(arguments);
    describe_machine();
    plume::bench::register_steps(work);
    plume::bench::register_layers(work);
    auto count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::ClearRegisteredBenchmarks();  // they hold a stream, which must not outlive main
    benchmark::Shutdown();
    return 0;
  } catch (const plume::Error& error) {
    std::cerr << "gpu_bench: " << error.what() << '\n';
    return error.exit_code();
  }
}

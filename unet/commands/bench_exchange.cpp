// A flat buffer of many small parameters, so that a bucket of any size is made of whole ones.
#include "unet/commands/bench_exchange.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

#include "dist/collectives.hpp"
#include "kernels/base/error.hpp"
#include "unet/commands/bench_work.hpp"
#include "unet/commands/median.hpp"
#include "unet/gradient_exchange.hpp"
#include "unet/ranks.hpp"

namespace plume::unet {
namespace {

constexpr double mebibyte = 1048576;
constexpr std::size_t parameter_elements = 16384;
constexpr double smallest_bucket = 0.125;  // MiB

nn::Parameters parameters_of(double mebibytes, kernels::Stream& stream) {
  nn::Parameters parameters(DType::f32, &stream);
  const auto count = static_cast<std::size_t>(mebibytes * mebibyte / sizeof(float)) / parameter_elements;
  for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i)
    parameters.declare(fmt::format("p{}", i), {1, 1, 1, parameter_elements}, nn::ParameterKind::vector);
  parameters.allocate();
  return parameters;
}

void wait_for(kernels::Stream& stream) {
  if (auto* cuda = std::get_if<kernels::CudaStream>(&stream)) cuda->synchronize();
}

// The median of what the slowest rank took.
double seconds_of(GradientExchange& exchange, dist::Communicator& communicator, kernels::Stream& stream, int repeats) {
  std::vector<double> seconds;
  for (int i = -warm_up; i < repeats; ++i) {
    dist::barrier(communicator);
    const auto start = std::chrono::steady_clock::now();
    exchange.finish();
    wait_for(stream);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const auto all = dist::gathered(communicator, taken.count());
    if (i >= 0) seconds.push_back(*std::max_element(all.begin(), all.end()));
  }
  return median(seconds);
}

}  // namespace

int bench_exchange(const BenchExchangeSettings& settings, dist::Communicator* communicator) {
  if (communicator == nullptr)
    throw usage_error("bench exchange is between ranks: start it by srun or mpiexec, on two or more");
  kernels::Stream stream = make_stream(settings.device, settings.threads, Ranks(communicator).gpu(settings.device));
  nn::Parameters parameters = parameters_of(settings.mebibytes, stream);
  const double mebibytes = static_cast<double>(parameters.flat_size() * sizeof(float)) / mebibyte;
  nlohmann::ordered_json report{{"ranks", communicator->size()},
                                {"device", describe_device(stream, settings.device.precision)},
                                {"library", communicator->library()},
                                {"mebibytes", mebibytes},
                                {"repeats", settings.repeats}};
  const int sizes = 1 + static_cast<int>(std::floor(std::log2(mebibytes / smallest_bucket)));
  for (int doubled = 0; doubled < sizes; ++doubled) {
    const double bucket = std::ldexp(smallest_bucket, doubled);
    DistSettings how;
    how.timing = dist::Timing::blocking;
    how.bucket = bucket;
    GradientExchange exchange(*communicator, how, parameters, stream);
    const double seconds = seconds_of(exchange, *communicator, stream, settings.repeats);
    report["buckets"].push_back({{"bucket_mebibytes", bucket}, {"seconds", seconds}});
  }
  if (communicator->rank() != 0) return 0;
  if (settings.json) {
    fmt::print("{}\n", report.dump());
    return 0;
  }
  fmt::print("{:.1f} MiB of gradients over {} ranks; {}; {}\n", mebibytes, communicator->size(),
             communicator->library(), report["device"].get<std::string>());
  fmt::print("{:>12}  {:>9}  {:>9}\n", "bucket MiB", "ms", "GB/s");
  for (const auto& row : report["buckets"]) {
    const double seconds = row["seconds"];
    fmt::print("{:12.3f}  {:9.3f}  {:9.2f}\n", row["bucket_mebibytes"].get<double>(), 1e3 * seconds,
               1e-9 * mebibytes * mebibyte / seconds);
  }
  return 0;
}

}  // namespace plume::unet

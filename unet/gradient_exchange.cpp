// Buckets of whole parameters over the flat buffers.
#include "unet/gradient_exchange.hpp"

#include <fmt/core.h>

#include <array>
#include <cstring>
#include <variant>
#include <vector>

#include "dist/collectives.hpp"
#include "dist/host_across.hpp"
#include "dist/nccl_sum.hpp"
#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

// Pieces of a few MiB stay in a CPU's caches; what crosses a network wants larger ones.
std::size_t bucket_elements(const DistSettings& settings, const kernels::Stream& stream) {
  constexpr double mebibyte = 1048576;
  const double automatic = std::holds_alternative<kernels::CpuStream>(stream) ? 2 : 25;
  return static_cast<std::size_t>((settings.bucket > 0 ? settings.bucket : automatic) * mebibyte / sizeof(float));
}

// Of those that backward writes: not of frozen ones, which stay 0.
std::vector<std::size_t> starts_of(const nn::Parameters& parameters) {
  std::vector<std::size_t> starts;
  for (const nn::ParameterInfo& info : parameters.all())
    if (info.kind != nn::ParameterKind::statistic && !info.frozen) starts.push_back(info.offset);
  return starts;
}

// Whether NCCL carries gradients: of all ranks or of none. `why_not` is for people, where it was not to be expected.
bool uses_nccl(dist::Communicator& communicator, Backend backend, const kernels::Stream& stream, std::string& why_not) {
  if (backend == Backend::mpi) return false;
  if (!std::holds_alternative<kernels::CudaStream>(stream)) {
    if (backend == Backend::automatic) return false;
    throw input_error("dist.backend = nccl sums between GPUs, but the ranks compute on the CPU; leave it at auto");
  }
  std::array<char, 400> own{};
  std::strncpy(own.data(), dist::nccl_absence().c_str(), own.size() - 1);
  const auto absences = dist::gathered(communicator, own);
  for (std::size_t rank = 0; rank < absences.size(); ++rank) {
    if (absences[rank][0] == '\0') continue;
    why_not = fmt::format("on rank {} {}", rank, absences[rank].data());
    if (backend == Backend::nccl) throw environment_error("dist.backend = nccl, but {}", why_not);
    return false;
  }
  return true;
}

// Ranks that hang are named by their supervisors (dist/supervisor.hpp), who come first; this is for who has none.
double nccl_deadline(const DistSettings& settings) {
  return settings.deadline + 30;
}

}  // namespace

GradientExchange::GradientExchange(dist::Communicator& communicator, const DistSettings& settings,
                                   nn::Parameters& parameters, kernels::Stream& stream)
    : communicator_(communicator), timing_(settings.timing), parameters_(parameters), stream_(stream) {
  std::string why_not;
  float* const gradients = parameters.gradients<float>();
  float* const statistics = parameters.statistics<float>();
  if (uses_nccl(communicator, settings.backend, stream, why_not)) {
    nccl_ = dist::open_nccl(communicator, std::get<kernels::CudaStream>(stream), nccl_deadline(settings));
    gradients_ = dist::nccl_sum(*nccl_, gradients, settings.wire, "gradient bucket");
    statistics_ = dist::nccl_mean(*nccl_, statistics, "running statistics");
    if (settings.sync_batch_norm) across_ = dist::nccl_across(*nccl_);
    route_ = "NCCL " + dist::nccl_version();
  } else {
    gradients_ = dist::host_sum(communicator, gradients, stream, settings.wire);
    statistics_ = dist::host_mean(communicator, statistics, stream);
    if (settings.sync_batch_norm) across_ = dist::host_across(communicator);
    route_ = fmt::format("{}, through host memory{}", communicator.library(), why_not.empty() ? "" : ": " + why_not);
  }
  buckets_.emplace(*gradients_, starts_of(parameters), parameters.flat_size(), bucket_elements(settings, stream),
                   timing_);
}

std::string GradientExchange::describe() const {
  constexpr std::array<const char*, 3> times{"while backward runs", "after backward", "never"};
  std::string sizes;
  for (const auto& slice : buckets_->slices())
    sizes +=
        fmt::format("{}{:.2f}", sizes.empty() ? "" : ", ", static_cast<double>(slice.count * sizeof(float)) / 1048576);
  return fmt::format("buckets: {}, summed {}, of {} MiB\n", buckets_->slices().size(),
                     times[static_cast<std::size_t>(timing_)], sizes);
}

void GradientExchange::written(const nn::Tensor& parameter) {
  buckets_->written(static_cast<std::size_t>(parameter.gradient<float>() - parameters_.gradients<float>()));
}

// Each rank's statistics went on from the same ones, and count alike, however many images each had; one without images keeps
// the old ones.
void GradientExchange::finish() {
  buckets_->finish();
  if (across_ != nullptr || timing_ == dist::Timing::none || parameters_.statistics_size() == 0) return;
  statistics_->begin(0, parameters_.statistics_size());
  statistics_->finish();
}

void GradientExchange::settle() {
  if (nccl_) nccl_->settle();
}

std::string GradientExchange::graph_refusal() const {
  const bool through_host = std::holds_alternative<kernels::CudaStream>(stream_) && !nccl_;
  return through_host ? "gradients go through the host's memory" : "";
}

}  // namespace plume::unet

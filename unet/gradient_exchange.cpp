// Buckets of whole parameters over the flat buffers.
#include "unet/gradient_exchange.hpp"

#include <fmt/core.h>

#include <array>
#include <variant>
#include <vector>

#include "dist/host_across.hpp"

namespace plume::unet {
namespace {

// Pieces of a few MiB stay in a CPU's caches; what crosses a network wants larger ones.
std::size_t bucket_elements(const DistSettings& settings, const kernels::Stream& stream) {
  constexpr double mebibyte = 1048576;
  const double automatic = std::holds_alternative<kernels::CpuStream>(stream) ? 2 : 25;
  return static_cast<std::size_t>((settings.bucket > 0 ? settings.bucket : automatic) * mebibyte / sizeof(float));
}

std::vector<std::size_t> starts_of(const nn::Parameters& parameters) {
  std::vector<std::size_t> starts;
  for (const nn::ParameterInfo& info : parameters.all())
    if (info.kind != nn::ParameterKind::statistic) starts.push_back(info.offset);
  return starts;
}

}  // namespace

GradientExchange::GradientExchange(dist::Communicator& communicator, const DistSettings& settings,
                                   nn::Parameters& parameters, kernels::Stream& stream)
    : communicator_(communicator),
      timing_(settings.timing),
      parameters_(parameters),
      stream_(stream),
      gradients_(dist::host_sum(communicator, parameters.gradients<float>(), stream, settings.wire)),
      statistics_(dist::host_mean(communicator, parameters.statistics<float>(), stream)) {
  buckets_.emplace(*gradients_, starts_of(parameters), parameters.flat_size(), bucket_elements(settings, stream),
                   timing_);
  if (settings.sync_batch_norm) across_ = dist::host_across(communicator);
}

std::string GradientExchange::describe() const {
  constexpr std::array<const char*, 3> times{"while backward runs", "after backward", "never"};
  std::string sizes;
  for (const auto& slice : buckets_->slices())
    sizes +=
        fmt::format("{}{:.2f}", sizes.empty() ? "" : ", ", static_cast<double>(slice.count * sizeof(float)) / 1048576);
  return fmt::format("gradients: summed {}, in {} buckets of {} MiB\n", times[static_cast<std::size_t>(timing_)],
                     buckets_->slices().size(), sizes);
}

void GradientExchange::written(const nn::Tensor& parameter) {
  buckets_->written(static_cast<std::size_t>(parameter.gradient<float>() - parameters_.gradients<float>()));
}

// Each rank's statistics go on from the same ones, so their mean is what the mean of the batches' statistics leads to.
void GradientExchange::finish() {
  buckets_->finish();
  if (across_ != nullptr || timing_ == dist::Timing::none || parameters_.statistics_size() == 0) return;
  statistics_->begin(0, parameters_.statistics_size());
  statistics_->finish();
}

std::string GradientExchange::graph_refusal() const {
  return std::holds_alternative<kernels::CudaStream>(stream_) ? "gradients go through the host's memory" : "";
}

}  // namespace plume::unet

// The gradients of all ranks, summed while backward still runs, and their running statistics, averaged.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "dist/buckets.hpp"
#include "dist/communicator.hpp"
#include "dist/nccl.hpp"
#include "dist/slice_sum.hpp"
#include "kernels/across.hpp"
#include "kernels/stream.hpp"
#include "nn/parameters.hpp"
#include "nn/tape.hpp"
#include "unet/config.hpp"

namespace plume::unet {

class GradientExchange {
 public:
  // Parameters in f32, in the stream's memory. All must outlive this. Throws, on all ranks, input_error where NCCL is asked
  // for and the ranks compute on the CPU, environment_error where one of them cannot use it, or shares its GPU.
  GradientExchange(dist::Communicator& communicator, const DistSettings& settings, nn::Parameters& parameters,
                   kernels::Stream& stream);

  [[nodiscard]] int ranks() const { return communicator_.size(); }
  // The buckets and when they are summed, as a line for people.
  [[nodiscard]] std::string describe() const;

  // For backward: the parameter's gradient is this rank's final one, in the order of the stream's work.
  void written(const nn::Tensor& parameter);
  // Gradients are the sums over all ranks, running statistics their means, for the stream's later work.
  void finish();
  // The host waits until the stream is done with all that was queued, unless other ranks fail meanwhile.
  void settle();

  // For batch normalisation over all ranks' images; null where each rank normalises its own.
  [[nodiscard]] kernels::AcrossRanks* across() const { return across_.get(); }

  // What carries gradients, for people.
  [[nodiscard]] const std::string& route() const { return route_; }

  // Why a step that contains the exchange cannot be recorded and replayed; empty where it can.
  [[nodiscard]] std::string graph_refusal() const;

 private:
  dist::Communicator& communicator_;
  dist::Timing timing_;
  nn::Parameters& parameters_;
  kernels::Stream& stream_;
  std::string route_;
  std::unique_ptr<dist::SliceSum> gradients_;
  std::unique_ptr<dist::SliceSum> statistics_;
  std::optional<dist::Buckets> buckets_;
  std::unique_ptr<kernels::AcrossRanks> across_;
  // Null where gradients go through the host's memory. Ends first: until it has, a GPU may wait for ranks that are gone, and
  // would not give memory back.
  std::unique_ptr<dist::NcclGroup> nccl_;
};

}  // namespace plume::unet

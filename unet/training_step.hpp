// One optimiser step on a batch: forward, loss, backward, update, in parts where the batch is accumulated.
#pragma once

#include <string>

#include "data/loader.hpp"
#include "kernels/stream.hpp"
#include "nn/arena.hpp"
#include "nn/optimizer.hpp"
#include "unet/config.hpp"
#include "unet/network.hpp"

namespace plume::unet {

class TrainingStep {
 public:
  // height and width of the tiles; crops are smaller where the configuration says so.
  TrainingStep(Network& network, const Config& config, int height, int width);

  // The batch's loss. Accumulated parts weigh by their number of images; batch normalisation sees one part at a time.
  [[nodiscard]] double run(const data::Batch& batch, nn::Optimizer& optimizer, double rate);

  // What a full batch needs, without running it.
  [[nodiscard]] std::string describe_memory();

 private:
  // Images [first, last) of a batch; null pixels in a dry run.
  [[nodiscard]] double run_part(const data::Batch* batch, int first, int last, double scale, bool dry);

  Network& network_;
  const Config& config_;
  int height_;
  int width_;
  kernels::Stream stream_;
  nn::Arena arena_;
};

}  // namespace plume::unet

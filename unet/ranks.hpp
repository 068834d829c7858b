// What the ranks of a training decide and know together. One rank alone is a group too.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dist/communicator.hpp"
#include "nn/optimizer.hpp"
#include "unet/checkpoint.hpp"
#include "unet/checkpoint_pieces.hpp"
#include "unet/evaluate.hpp"
#include "unet/inference/device.hpp"
#include "unet/inference/network.hpp"

namespace plume::unet {

class Ranks {
 public:
  // None (null): this process is alone.
  explicit Ranks(dist::Communicator* communicator);

  [[nodiscard]] int rank() const { return communicator_->rank(); }
  [[nodiscard]] int size() const { return communicator_->size(); }
  // Whether this is the one that writes and speaks.
  [[nodiscard]] bool leads() const { return rank() == 0; }
  [[nodiscard]] dist::Communicator& communicator() const { return *communicator_; }

  // For the supervisor, who names a rank by these.
  void enter(dist::Phase phase) const;
  void done(std::int64_t steps) const;

  struct Step {
    double loss = 0;          // this rank's share of it; afterwards the batch's
    std::int64_t images = 0;  // this rank's; afterwards the batch's
    bool stop = false;        // whether this rank was asked to stop; afterwards whether any was
    bool finite = true;       // whether loss and gradients are; afterwards whether all ranks' are
  };
  [[nodiscard]] Step agree(const Step& own) const;

  // The ranks' evaluations of their shares (share_of) of so many tiles, put together: what one rank alone would have
  // counted. Without details.
  [[nodiscard]] Evaluation together(Evaluation own, std::size_t tiles) const;

  // The leader's weights, optimiser state and progress are everyone's.
  void share(Network& network, nn::Optimizer& optimizer, Progress& progress) const;

  // The pieces of a checkpoint that the ranks have saved, in their order.
  [[nodiscard]] std::vector<SavedPiece> collect(const SavedPiece& own) const;

  // Until all have come so far.
  void wait() const;

  // The ranks whose weights are not the leader's, bit by bit.
  [[nodiscard]] std::vector<int> with_other_weights(const nn::Parameters& parameters) const;
  // Throws environment_error naming the ranks whose weights are not the leader's, bit by bit.
  void require_same_weights(const nn::Parameters& parameters) const;

  // Which CUDA device a training is to use here, where it uses any (dist/own_gpu.hpp). Throws environment_error.
  [[nodiscard]] int gpu(const DeviceSettings& settings) const;

  // "rank host local device" of every rank, one a line, and what carries gradients, on the leader; empty for one alone.
  [[nodiscard]] std::string table(const std::string& device, const std::string& route) const;

 private:
  std::unique_ptr<dist::Communicator> alone_;
  dist::Communicator* communicator_;
};

// The tiles of a validation that are this rank's: each belongs to one, none twice.
[[nodiscard]] std::vector<int> share_of(std::span<const int> tiles, int rank, int size);

}  // namespace plume::unet

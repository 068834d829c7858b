// What a training is made of before its first step, as the configuration says; what does not fit together is refused
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/loading/sampling.hpp"
#include "data/shards/shard.hpp"
#include "unet/config.hpp"
#include "unet/gradient_exchange.hpp"
#include "unet/inference/network.hpp"
#include "unet/ranks.hpp"

namespace plume::unet {

// All of these throw input_error.

// The shard, or the several that are one.
[[nodiscard]] data::Shard open_shard(const Config& config);

// The network, which fits the tiles; it normalises by their mean and deviation, or not at all. Its parameters are
// zeros, some of them frozen.
[[nodiscard]] Network network_for(const Config& config, const data::Shard& shard, kernels::Stream* stream = nullptr);

// Where weights are averaged, the network that holds the average.
[[nodiscard]] std::optional<Network> averaged_for(const Config& config, const Network& network,
                                                  kernels::Stream& stream);

// What sums gradients over ranks, where there are several.
[[nodiscard]] std::optional<GradientExchange> exchange_for(const Config& config, const Ranks& ranks, Network& network,
                                                           kernels::Stream& stream);

// The batches of one rank of so many.
[[nodiscard]] data::Sampling sampling_of(const Config& config, int rank, int ranks);

// Over the names, so that a continuation on other tiles is noticed.
[[nodiscard]] std::uint64_t hash_of_training_tiles(const data::Shard& shard);

// Terms of the loss that want labels that are classes.
void require_hard_labels(const Config& config, const data::Shard& shard);

// What waits for validations needs tiles to validate on.
void require_validation(const Config& config, const data::Shard& shard);

// Batch normalisation over all ranks needs all ranks in every batch.
void require_share_for_all(const Config& config, const data::Shard& shard, int ranks);

// A training can go on with another length or learning rate, each a line of what is returned; not with other batches.
// `path`: of the checkpoint, for messages.
[[nodiscard]] std::string require_same_batches(const Config& begun, const Config& now, const std::string& path);

}  // namespace plume::unet

// Data, network and sampling, from the configuration's keys.
#include "unet/training_setup.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "kernels/base/error.hpp"
#include "kernels/base/fnv1a.hpp"
#include "unet/evaluate.hpp"
#include "unet/families.hpp"

namespace plume::unet {
namespace {

// Says which value would fit.
void require_fit(const Config& config, const Graph& graph, const data::Shard& shard) {
  const data::ShardInfo& info = shard.info();
  const std::string path = shard.path().string();
  if (config.model.bands != info.bands) {
    throw input_error("model.bands = {}, and the tiles of {} have {} bands; set it to {}", config.model.bands, path,
                      info.bands, info.bands);
  }
  if (config.model.classes != info.classes && !has_soft_labels(graph, shard)) {
    throw input_error("model.classes = {}, and the labels of {} have {} classes; set it to {}", config.model.classes,
                      path, info.classes, info.classes);
  }
  const int least = std::min(info.height, info.width);
  if (config.train.crop > least) {
    throw input_error("train.crop = {} is larger than the tiles, {}x{}; set it to {} at most, or to 0 for whole tiles",
                      config.train.crop, info.height, info.width, least);
  }
}

}  // namespace

data::Shard open_shard(const Config& config) {
  if (config.data.shard.empty()) throw input_error("data.shard is not set: which tiles shall be trained on?");
  return data::Shard(config.data.shard);
}

Network network_for(const Config& config, const data::Shard& shard, kernels::Stream* stream) {
  Graph graph = build_graph(config.model);
  require_fit(config, graph, shard);
  if (config.data.normalize) {
    graph.input.mean = shard.info().mean;
    graph.input.std = shard.info().std;
  }
  Network network(std::move(graph), element_type(config.train.device.precision), Fusion::on, stream);
  network.freeze(config.train.freeze);
  return network;
}

std::optional<Network> averaged_for(const Config& config, const Network& network, kernels::Stream& stream) {
  if (config.optimizer.average <= 0) return std::nullopt;
  return std::optional<Network>(std::in_place, network.graph(), network.dtype(), Fusion::on, &stream,
                                nn::Gradients::no);
}

std::optional<GradientExchange> exchange_for(const Config& config, const Ranks& ranks, Network& network,
                                             kernels::Stream& stream) {
  if (ranks.size() == 1) return std::nullopt;
  return std::optional<GradientExchange>(std::in_place, ranks.communicator(), config.dist, network.parameters(),
                                         stream);
}

data::Sampling sampling_of(const Config& config, int rank, int ranks) {
  const TrainSettings& train = config.train;
  data::Sampling sampling;
  sampling.batch = train.batch;
  sampling.crop = train.crop;
  sampling.flip = train.flip;
  sampling.rotate = train.rotate;
  sampling.class_share = static_cast<float>(train.class_share);
  sampling.class_threshold = static_cast<float>(train.class_threshold);
  sampling.seed = train.seed;
  sampling.shuffle_window = config.data.shuffle_window;
  sampling.augment = config.augment;
  sampling.rank = rank;
  sampling.world = ranks;
  return sampling;
}

std::uint64_t hash_of_training_tiles(const data::Shard& shard) {
  std::uint64_t hash = fnv1a("");
  for (const int tile : shard.tiles(data::Split::train))
    hash = fnv1a(shard.info().name[static_cast<std::size_t>(tile)] + '\n', hash);
  return hash;
}

void require_hard_labels(const Config& config, const data::Shard& shard) {
  if (config.model.classes != 1 || shard.info().label_target.empty()) return;
  const char* key = config.loss.focal > 0           ? "loss.focal"
                    : config.loss.lovasz > 0        ? "loss.lovasz"
                    : !config.class_weights.empty() ? "loss.class_weights"
                                                    : nullptr;
  if (key == nullptr) return;
  throw input_error(
      "{} is for labels that are classes, and those of {} are soft; use loss.cross_entropy, dice or tversky, or "
      "model.classes = {} for its levels",
      key, shard.path().string(), shard.info().classes);
}

void require_validation(const Config& config, const data::Shard& shard) {
  if (!shard.tiles(data::Split::val).empty()) return;
  const bool plateau = config.schedule.kind == ScheduleSettings::Kind::plateau;
  if (plateau || config.train.patience > 0) {
    throw input_error("{} waits for validations, and {} has no tile in the split 'val'; {}",
                      plateau ? "schedule.name = \"plateau\"" : "train.patience", shard.path().string(),
                      plateau ? "use the schedule \"poly\" or \"cosine\"" : "leave it at 0");
  }
}

void require_share_for_all(const Config& config, const data::Shard& shard, int ranks) {
  if (!config.dist.sync_batch_norm || ranks == 1) return;
  if (config.train.accumulate > 1)
    throw input_error("dist.sync_batch_norm does not go with train.accumulate = {}: leave one of them at its default",
                      config.train.accumulate);
  const auto tiles = static_cast<int>(shard.tiles(data::Split::train).size());
  const int rest = config.train.class_share > 0 ? 0 : tiles % config.train.batch;
  const int least = rest > 0 ? rest : config.train.batch;
  if (least < ranks)
    throw input_error(
        "dist.sync_batch_norm: a batch of {} images does not go round {} ranks; choose a train.batch that leaves "
        "more of the {} tiles for the last one",
        least, ranks, tiles);
}

std::string require_same_batches(const Config& begun, const Config& now, const std::string& path) {
  constexpr std::array fixed{"train.batch",         "train.accumulate", "train.crop",        "train.flip",
                             "train.rotate",        "train.seed",       "train.class_share", "train.class_threshold",
                             "data.shuffle_window", "optimizer.name",   "train.ema"};
  constexpr std::array harmless{
      "train.threads", "train.cuda_graph", "train.recompute", "train.conv", "data.loader_threads",       "data.shard",
      "dist.timing",   "dist.bucket",      "dist.deadline",   "train.keep", "train.sharded_checkpoints", "train.on_nan",
      "train.explode", "train.pictures"};  // of train.conv arithmetic() tells
  const auto among = [](const auto& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  std::string notes;
  for (const std::string& key : differing_keys(begun, now)) {
    if (key.starts_with("augment.") || among(fixed, key))
      throw input_error("{}: was trained with another {}, so it cannot go on with this one", path, key);
    if (!among(harmless, key)) notes += fmt::format("note: {} differs from what the training began with\n", key);
  }
  return notes;
}

}  // namespace plume::unet

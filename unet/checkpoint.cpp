// Checkpoints as safetensors.
#include "unet/checkpoint.hpp"

#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "kernels/base/error.hpp"
#include "nn/safetensors.hpp"
#include "unet/inference/checkpoint_file.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/version.hpp"

namespace plume::unet {
namespace {

void save(const std::filesystem::path& path, const Network& network, const nn::Optimizer* optimizer,
          const Progress& progress, const std::string& config, const std::function<void()>& before = {}) {
  nn::Metadata metadata = metadata_of(network, progress, optimizer ? optimizer->steps() : 0, config);
  std::vector<nn::NamedTensor> tensors;
  for (const auto& info : network.parameters().all()) tensors.push_back(network.parameters().to_named(info));
  std::vector<nn::TensorSource> sources;
  sources.reserve(tensors.size());
  for (const auto& tensor : tensors) {
    sources.push_back({tensor.name, DType::f32, tensor.shape, std::as_bytes(std::span(tensor.values))});
  }
  const auto states = optimizer ? optimizer->state() : std::vector<nn::Optimizer::State>();
  if (optimizer) {
    const DType dtype = network.parameters().dtype();
    for (const auto& state : states) {
      const auto count = static_cast<std::int64_t>(state.bytes.size() / size_of(dtype));
      sources.push_back({optimizer_prefix + state.name, dtype, {count}, state.bytes});
    }
  }
  metadata[checksum_key] = checksum_of(sources);
  nn::save_safetensors(path, metadata, sources, before);
}

}  // namespace

nn::Metadata metadata_of(const Network& network, const Progress& progress, std::int64_t optimizer_steps,
                         const std::string& config) {
  return {{"plume.graph", to_json(network.graph())},
          {"plume.version", version},
          {"plume.training", progress_text(progress, optimizer_steps)},
          {"plume.config", config}};
}

std::string progress_text(const Progress& progress, std::int64_t optimizer_steps) {
  return nlohmann::json{{"step", progress.step},
                        {"epoch", progress.epoch},
                        {"batch", progress.batch},
                        {"seed", progress.seed},
                        {"best_iou", progress.best_iou},
                        {"best_step", progress.best_step},
                        {"validations_since_best", progress.validations_since_best},
                        {"reductions", progress.reductions},
                        {"validations_since_reduction", progress.validations_since_reduction},
                        {"first_loss", progress.first_loss},
                        {"skipped", progress.skipped},
                        {"instruction_set", progress.instruction_set},
                        {"tiles", progress.tiles},
                        {"optimizer_steps", optimizer_steps}}
      .dump();
}

std::pair<Progress, std::int64_t> progress_from_text(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    Progress progress;
    progress.step = json.at("step");
    progress.epoch = json.at("epoch");
    progress.batch = json.at("batch");
    progress.seed = json.at("seed");
    progress.best_iou = json.at("best_iou");
    progress.best_step = json.at("best_step");
    progress.validations_since_best = json.at("validations_since_best");
    progress.reductions = json.value("reductions", 0);  // older checkpoints have none of these
    progress.validations_since_reduction = json.value("validations_since_reduction", 0);
    progress.first_loss = json.value("first_loss", 0.0);
    progress.skipped = json.value("skipped", std::int64_t{0});
    progress.instruction_set = json.at("instruction_set");
    progress.tiles = json.at("tiles");
    const std::int64_t optimizer_steps = json.at("optimizer_steps");
    if (progress.step < 0 || progress.epoch < 0 || progress.batch < 0 || optimizer_steps < 0)
      throw input_error("its training record is damaged (a negative count)");
    return {progress, optimizer_steps};
  } catch (const nlohmann::json::exception& error) {
    throw input_error("its training record is damaged ({})", error.what());
  }
}

void save_model(const std::filesystem::path& path, const Network& network, const Progress& progress,
                const std::string& config) {
  save(path, network, nullptr, progress, config);
}

void save_training(const std::filesystem::path& path, const Network& network, const nn::Optimizer& optimizer,
                   const Progress& progress, const std::string& config, const std::function<void()>& before) {
  save(path, network, &optimizer, progress, config, before);
}

std::int64_t require_whole(const std::filesystem::path& path) {
  const CheckpointFile file(path);
  return with_context(path.string(), [&] { return progress_from_text(file.metadata("plume.training")).first.step; });
}

void save_with_ranges(const std::filesystem::path& path, const std::filesystem::path& model, const Ranges& ranges) {
  const CheckpointFile file(model);
  std::vector<nn::TensorSource> sources;
  for (const auto& [tensor, bytes] : file.tensors()) {
    if (tensor->name.starts_with(optimizer_prefix) || tensor->name.ends_with(range_suffix)) continue;
    sources.push_back({tensor->name, tensor->dtype, tensor->shape, bytes});
  }
  for (const auto& [layer, channels] : ranges) {
    sources.push_back(
        {layer + range_suffix, DType::f32, {std::ssize(channels), range_values}, std::as_bytes(std::span(channels))});
  }
  nn::Metadata metadata = file.metadata();
  metadata.erase(pieces_key);
  metadata[checksum_key] = checksum_of(sources);
  nn::save_safetensors(path, metadata, sources);
}

Resumed load_training(const std::filesystem::path& path, Network& network, nn::Optimizer& optimizer) {
  const CheckpointFile file(path);
  if (!(graph_of(file) == network.graph())) {
    const bool other_data = graph_of(file).layers == network.graph().layers;
    throw input_error("{}: holds another model than the configuration describes{}", path.string(),
                      other_data ? " (it was trained on other data: its input statistics differ)" : "");
  }
  load_weights(file, network);
  auto states = optimizer.state();
  for (auto& state : states) {
    if (!file.read(optimizer_prefix + state.name, network.parameters().dtype(), state.bytes)) {
      throw input_error("{}: no state of this optimiser ({}{}), so training cannot go on from it", path.string(),
                        optimizer_prefix, state.name);
    }
  }
  optimizer.set_state(states);
  Resumed resumed;
  resumed.config = file.metadata("plume.config");
  const auto [progress, optimizer_steps] =
      with_context(path.string(), [&] { return progress_from_text(file.metadata("plume.training")); });
  resumed.progress = progress;
  optimizer.set_steps(optimizer_steps);
  return resumed;
}

}  // namespace plume::unet

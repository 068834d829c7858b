// What inference reads of a checkpoint, and a few words about it.
#include "unet/export_sagemaker.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "nn/safetensors.hpp"
#include "unet/archive.hpp"
#include "unet/checkpoint.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/sha256.hpp"

namespace plume::unet {
namespace {

// The network's parameters, and ranges where there are some.
std::vector<std::byte> for_use(const CheckpointFile& file, const Network& network) {
  std::vector<nn::TensorSource> sources;
  for (const auto& [tensor, bytes] : file.tensors()) {
    if (network.parameters().find(tensor->name) != nullptr || tensor->name.ends_with(range_suffix))
      sources.push_back({tensor->name, tensor->dtype, tensor->shape, bytes});
  }
  const nn::Metadata metadata{{"plume.graph", to_json(network.graph())},
                              {"plume.version", file.metadata("plume.version")},
                              {checksum_key, checksum_of(sources)}};
  return nn::encode_safetensors(metadata, sources);
}

std::string description_of(const Graph& graph, const std::string& checksum, const ExportOptions& options) {
  return nlohmann::ordered_json{{"name", options.name},
                                {"sha256", checksum},
                                {"bands", graph.input.bands},
                                {"classes", graph.classes},
                                {"size_multiple", size_multiple(graph)},
                                {"threshold", options.threshold}}
             .dump(2) +
         "\n";
}

}  // namespace

std::vector<std::byte> export_sagemaker(const std::filesystem::path& model, const ExportOptions& options) {
  const CheckpointFile file(model);
  Network network(without_heads(graph_of(file)), DType::f32, Fusion::on, nullptr, nn::Gradients::no);
  load_weights(file, network);  // all of them are there, and finite
  const std::vector<std::byte> weights = for_use(file, network);
  const std::string description = description_of(network.graph(), sha256(weights), options);
  return make_tar_gz({{"model.safetensors", weights},
                      {"model.json", std::as_bytes(std::span(description.data(), description.size()))}});
}

}  // namespace plume::unet

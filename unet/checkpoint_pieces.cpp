// Whole parameters go to the rank in whose range they begin; the optimiser's flat state is cut at the ranges' borders.
#include "unet/checkpoint_pieces.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "kernels/base/error.hpp"
#include "nn/safetensors.hpp"
#include "unet/inference/checkpoint_file.hpp"
#include "unet/kept_checkpoints.hpp"

namespace plume::unet {
namespace {

namespace fs = std::filesystem;
constexpr const char* pieces_folder = "pieces";

}  // namespace

SavedPiece save_piece(const fs::path& folder, const Network& network, const nn::Optimizer& optimizer, std::int64_t step,
                      int rank, int ranks) {
  const nn::Parameters& parameters = network.parameters();
  const auto border = [&](std::size_t size, int of) {
    return size * static_cast<std::size_t>(of) / static_cast<std::size_t>(ranks);
  };
  const std::size_t first = border(parameters.flat_size(), rank);
  const std::size_t last = border(parameters.flat_size(), rank + 1);
  std::vector<nn::NamedTensor> tensors;
  for (const nn::ParameterInfo& info : parameters.all()) {
    const bool ours =
        info.kind == nn::ParameterKind::statistic ? rank == 0 : info.offset >= first && info.offset < last;
    if (ours) tensors.push_back(parameters.to_named(info));
  }
  std::vector<nn::TensorSource> sources;
  for (const auto& tensor : tensors)
    sources.push_back({tensor.name, DType::f32, tensor.shape, std::as_bytes(std::span(tensor.values))});
  const auto states = optimizer.state();
  const std::size_t element = size_of(parameters.dtype());
  for (const auto& state : states) {
    const std::size_t begin = border(state.bytes.size() / element, rank);
    const std::size_t end = border(state.bytes.size() / element, rank + 1);
    sources.push_back({fmt::format("{}{}@{}", optimizer_prefix, state.name, begin * element),
                       parameters.dtype(),
                       {static_cast<std::int64_t>(end - begin)},
                       std::span(state.bytes).subspan(begin * element, (end - begin) * element)});
  }
  const fs::path file =
      fs::path(pieces_folder) / std::to_string(step) / fmt::format("{}-of-{}.safetensors", rank, ranks);
  std::error_code failed;
  fs::create_directories((folder / file).parent_path(), failed);
  if (failed) throw environment_error("cannot create {}: {}", (folder / file).parent_path().string(), failed.message());
  nn::save_safetensors(folder / file, {}, sources);
  return {file.string(), checksum_of(sources)};
}

void save_index(const fs::path& path, const std::vector<SavedPiece>& pieces, const Network& network,
                const nn::Optimizer& optimizer, const Progress& progress, const std::string& config,
                const std::function<void()>& before) {
  nn::Metadata metadata = metadata_of(network, progress, optimizer.steps(), config);
  auto list = nlohmann::json::array();
  for (const SavedPiece& piece : pieces) list.push_back({{"file", piece.file}, {"crc32c", piece.checksum}});
  metadata[pieces_key] = list.dump();
  nn::save_safetensors(path, metadata, {}, before);
}

void remove_stray_pieces(const fs::path& folder) {
  std::error_code failed;
  if (!fs::exists(folder / pieces_folder, failed)) return;
  std::set<fs::path> named;
  for (const fs::path& path : checkpoints_in(folder)) {
    try {
      const nn::SafetensorsFile index(path);
      const auto pieces = index.metadata().find(pieces_key);
      if (pieces == index.metadata().end()) continue;
      for (const auto& piece : nlohmann::json::parse(pieces->second))
        named.insert(folder / fs::path(piece.at("file").get<std::string>()).parent_path());
    } catch (const std::exception&) {
      return;  // a damaged index does not say which are its own
    }
  }
  for (const auto& entry : fs::directory_iterator(folder / pieces_folder, failed))
    if (!named.contains(entry.path())) fs::remove_all(entry.path(), failed);
}

}  // namespace plume::unet

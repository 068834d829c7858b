// Checksums, and the search over pieces.
#include "unet/inference/checkpoint_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "kernels/base/crc32c.hpp"
#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

std::string hex(std::uint32_t checksum) {
  return fmt::format("{:08x}", checksum);
}

// Files of earlier versions have none.
void require_checksum(const nn::SafetensorsFile& file, const std::string& expected) {
  if (!expected.empty() && hex(crc32c(file.data())) != expected)
    throw input_error("{}: is damaged: its checksum is not that of its contents", file.path().string());
}

}  // namespace

std::string checksum_of(std::span<const nn::TensorSource> tensors) {
  std::uint32_t sum = 0;
  for (const nn::TensorSource& tensor : tensors) sum = crc32c(tensor.bytes, sum);
  return hex(sum);
}

CheckpointFile::CheckpointFile(const std::filesystem::path& path) {
  files_.emplace_back(path);
  const auto value = [&](const char* key) {
    const auto found = metadata().find(key);
    return found == metadata().end() ? std::string() : found->second;
  };
  require_checksum(files_.front(), value(checksum_key));
  const std::string pieces = value(pieces_key);
  if (pieces.empty()) return;
  try {
    for (const auto& piece : nlohmann::json::parse(pieces)) {
      files_.emplace_back(path.parent_path() / piece.at("file").get<std::string>());
      require_checksum(files_.back(), piece.at("crc32c"));
    }
  } catch (const nlohmann::json::exception& error) {
    throw input_error("{}: its list of pieces is damaged ({})", path.string(), error.what());
  }
}

const std::string& CheckpointFile::metadata(const std::string& key) const {
  const auto found = metadata().find(key);
  if (found == metadata().end()) {
    throw input_error(
        "{}: no '{}' in its metadata, so it is not a plume model; PyTorch weights come in with "
        "model.weights in a training's configuration",
        path().string(), key);
  }
  return found->second;
}

std::vector<CheckpointFile::Tensor> CheckpointFile::tensors() const {
  std::vector<Tensor> all;
  for (const nn::SafetensorsFile& file : files_)
    for (const nn::TensorInfo& info : file.tensors()) all.push_back({&info, file.bytes(info)});
  return all;
}

CheckpointFile::Tensor CheckpointFile::find(std::string_view name) const {
  for (const nn::SafetensorsFile& file : files_)
    if (const nn::TensorInfo* info = file.find(name)) return {info, file.bytes(*info)};
  return {};
}

std::vector<float> CheckpointFile::floats(std::string_view name) const {
  const auto holds = [&](const nn::SafetensorsFile& file) { return file.find(name) != nullptr; };
  const auto file = std::find_if(files_.begin(), files_.end(), holds);
  return (file == files_.end() ? files_.front() : *file).floats(name);
}

bool CheckpointFile::read(const std::string& name, DType dtype, std::span<std::byte> to) const {
  std::size_t filled = 0;
  const auto put = [&](const Tensor& tensor) {
    if (tensor.info == nullptr || tensor.info->dtype != dtype || tensor.bytes.size() > to.size() - filled) return false;
    std::memcpy(to.data() + filled, tensor.bytes.data(), tensor.bytes.size());
    filled += tensor.bytes.size();
    return true;
  };
  if (find(name).info != nullptr) return put(find(name)) && filled == to.size();
  while (filled < to.size())
    if (const std::size_t before = filled; !put(find(fmt::format("{}@{}", name, filled))) || filled == before)
      return false;
  return true;
}

}  // namespace plume::unet

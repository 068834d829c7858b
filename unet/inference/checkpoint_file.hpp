// A checkpoint on disk, read as one whether it is one file or an index with the pieces that several ranks wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "nn/safetensors.hpp"

namespace plume::unet {

// Metadata keys of an index and of any checkpoint.
inline constexpr const char* pieces_key = "plume.pieces";  // JSON: [{"file", relative to the index, "crc32c"}]
inline constexpr const char* checksum_key = "plume.crc32c";

// Of the tensors' bytes, one after the other, in hex.
[[nodiscard]] std::string checksum_of(std::span<const nn::TensorSource> tensors);

class CheckpointFile {
 public:
  // Every byte is held against the checksums. Throws input_error naming the file that is missing or damaged.
  explicit CheckpointFile(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return files_.front().path(); }
  [[nodiscard]] const nn::Metadata& metadata() const { return files_.front().metadata(); }
  // Throws input_error where there is none.
  [[nodiscard]] const std::string& metadata(const std::string& key) const;

  struct Tensor {
    const nn::TensorInfo* info = nullptr;  // null: there is none of that name
    std::span<const std::byte> bytes;
  };
  [[nodiscard]] std::vector<Tensor> tensors() const;
  [[nodiscard]] Tensor find(std::string_view name) const;
  // As nn::SafetensorsFile has it.
  [[nodiscard]] std::vector<float> floats(std::string_view name) const;
  // A tensor, or one that ranks wrote as slices "NAME@FIRST" (a byte): true where they fill `to`, in that element type.
  [[nodiscard]] bool read(const std::string& name, DType dtype, std::span<std::byte> to) const;

 private:
  std::vector<nn::SafetensorsFile> files_;  // the first has the metadata
};

}  // namespace plume::unet

// Reading and writing the safetensors format: an 8-byte little-endian header size, a JSON header, raw little-endian
// data. Source: https://github.com/huggingface/safetensors (format section of its README).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/base/dtype.hpp"

namespace plume::nn {

using Metadata = std::map<std::string, std::string>;

struct TensorInfo {
  std::string name;
  DType dtype{};
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0;  // from the start of the data section
  std::uint64_t bytes = 0;
};

// A file mapped into memory. Opening checks everything: sizes, offsets in range, no overlap, no hole, dtype times
// shape. Throws input_error (exit 3) naming the file and the tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const noexcept;
  [[nodiscard]] const Metadata& metadata() const noexcept;
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept;       // in order of offset
  [[nodiscard]] const TensorInfo* find(std::string_view name) const noexcept;  // null where absent

  // The data section: all tensors' bytes, one after the other.
  [[nodiscard]] std::span<const std::byte> data() const noexcept;
  // The tensor's bytes in the mapping.
  [[nodiscard]] std::span<const std::byte> bytes(const TensorInfo& tensor) const noexcept;
  // The tensor as float, converted from f16, bf16, f32 or f64; throws input_error where absent or of another type.
  [[nodiscard]] std::vector<float> floats(std::string_view name) const;

 private:
  struct Mapping;
  std::unique_ptr<Mapping> mapping_;
};

// One tensor to write; the bytes stay the caller's.
struct TensorSource {
  std::string name;
  DType dtype{};
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

// A file's bytes. Tensors are laid out in the given order without gaps (the format allows none); the first starts on an
// 8-byte boundary. Throws input_error where text is not UTF-8, std::logic_error where shape and bytes differ or a name
// comes twice.
[[nodiscard]] std::vector<std::byte> encode_safetensors(const Metadata& metadata,
                                                        std::span<const TensorSource> tensors);

// The same to a file, through AtomicFile: whole or not at all. Throws environment_error (exit 4) where the disk says
// no. before: called when all is written, before it takes the place of a file of that name.
void save_safetensors(const std::filesystem::path& path, const Metadata& metadata,
                      std::span<const TensorSource> tensors, const std::function<void()>& before = {});

}  // namespace plume::nn

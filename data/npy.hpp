// NumPy's .npy format, versions 1 to 3, C order, little-endian numbers.
// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "kernels/base/dtype.hpp"

namespace plume::data {

struct NpyArray {
  DType dtype{};                    // u8 (also for bool), u16, i16, i32, u32, f32 or f64 as in the file
  std::vector<std::int64_t> shape;  // every extent >= 1, at most 4 of them
  std::vector<float> values;        // in C order
};

// Throws input_error naming the file and what is wrong: header, order, type, shape, length.
[[nodiscard]] NpyArray read_npy(const std::filesystem::path& path);

// Version 1.0, through AtomicFile, not durable. The product of shape is the number of values.
// Throws environment_error naming the path (no folder, no permission, disk full).
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape, std::span<const float> values);
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const std::uint8_t> values);

}  // namespace plume::data

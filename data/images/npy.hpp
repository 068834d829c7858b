// NumPy's .npy format, versions 1 to 3, C order, little-endian numbers.
// Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/images/raster.hpp"
#include "kernels/base/dtype.hpp"

namespace plume::data {

struct NpyArray {
  DType dtype{};                    // u8 (also for bool), u16, i16, i32, u32, f32 or f64 as in the file
  std::vector<std::int64_t> shape;  // every extent >= 1, at most 4 of them
  std::vector<float> values;        // in C order
};

// name: for errors. Throws input_error naming it and what is wrong: header, order, type, shape, length.
[[nodiscard]] NpyArray decode_npy(std::span<const std::byte> bytes, const std::string& name);

// Of a file. Throws as decode_npy, and where the file cannot be read.
[[nodiscard]] NpyArray read_npy(const std::filesystem::path& path);

// An image: [H, W], [H, W, C] or [C, H, W], any of them with a leading 1. Three dimensions are [C, H, W] when the first
// is at most 16 and the last is more than 16, otherwise [H, W, C]. bands: 0-based, in that order; empty: all. NaN is
// let through. Throws input_error where it is none, for a band that is not there, and beyond raster.hpp's limits.
[[nodiscard]] Raster raster_of(NpyArray array, const std::string& name, const std::vector<int>& bands = {});

// What stands before the numbers, which are u8 or f32. Version 1.0.
[[nodiscard]] std::string npy_start(DType dtype, std::span<const std::int64_t> shape);

// A whole array. The product of shape is the number of values.
[[nodiscard]] std::vector<std::byte> encode_npy(std::span<const std::int64_t> shape, std::span<const float> values);

// The same to a file, through AtomicFile, not durable.
// Throws environment_error naming the path (no folder, no permission, disk full).
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape, std::span<const float> values);
void write_npy(const std::filesystem::path& path, std::span<const std::int64_t> shape,
               std::span<const std::uint8_t> values);

}  // namespace plume::data

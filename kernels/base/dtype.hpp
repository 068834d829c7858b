// Element types that plume stores and computes with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels/base/bfloat16.hpp"

namespace plume {

enum class DType : std::uint8_t { f32, f64, f16, bf16, u8, i8, u16, i16, i32, u32, i64, u64 };

[[nodiscard]] constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::u8:
    case DType::i8: return 1;
    case DType::f16:
    case DType::bf16:
    case DType::u16:
    case DType::i16: return 2;
    case DType::f32:
    case DType::i32:
    case DType::u32: return 4;
    case DType::f64:
    case DType::i64:
    case DType::u64: return 8;
  }
  return 0;
}

// For people: "f32".
[[nodiscard]] constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::f32: return "f32";
    case DType::f64: return "f64";
    case DType::f16: return "f16";
    case DType::bf16: return "bf16";
    case DType::u8: return "u8";
    case DType::i8: return "i8";
    case DType::u16: return "u16";
    case DType::i16: return "i16";
    case DType::i32: return "i32";
    case DType::u32: return "u32";
    case DType::i64: return "i64";
    case DType::u64: break;
  }
  return "u64";
}

template <class T>
constexpr DType dtype_of() = delete;
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<bf16>() {
  return DType::bf16;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}

// What parameters, statistics, losses and sums are kept in beside activations of T: mixed precision's wider type.
namespace detail {
template <class T>
struct Wide {
  using type = T;
};
template <>
struct Wide<bf16> {
  using type = float;
};
}  // namespace detail
template <class T>
using Wide = typename detail::Wide<T>::type;
[[nodiscard]] constexpr DType widened(DType type) {
  return type == DType::bf16 ? DType::f32 : type;
}

}  // namespace plume

// Winograd's minimal filtering for 3x3 convolutions of stride 1 on the CPU: the same results as kernels/convolution.hpp
// with 2.25 (F2) or 4 (F4) times fewer multiplications, and rounding errors that are some times larger.
//
// Layouts as in kernels/convolution.hpp; any sizes, channel counts and pads. f32 and f64.
// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.
#pragma once

#include <string_view>

#include "kernels/convolution.hpp"
#include "kernels/image.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// Tiles of 2x2 or 4x4 outputs.
enum class WinogradTile { f2, f4 };

[[nodiscard]] constexpr std::string_view name_of(WinogradTile tile) {
  return tile == WinogradTile::f2 ? "F2" : "F4";
}

[[nodiscard]] constexpr bool winograd_applies(const ConvGeometry& geometry) {
  return geometry.kernel == 3 && geometry.stride == 1;
}

// out = conv(in, weight) + bias, then ReLU where asked; bias may be null.
template <class T>
void winograd_forward(Image<T> out, const Sources<T>& in, const T* weight, const T* bias, const ConvGeometry& geometry,
                      bool relu, WinogradTile tile, CpuStream& stream);

// grad_in (+)= the gradient of winograd_forward's `in`, for the channels in `slice`.
template <class T>
void winograd_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                            const ConvGeometry& geometry, bool add, WinogradTile tile, CpuStream& stream);

// grad_weight (+)= the gradient of winograd_forward's `weight`.
template <class T>
void winograd_backward_weight(T* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                              const ConvGeometry& geometry, bool add, WinogradTile tile, CpuStream& stream);

}  // namespace plume::kernels

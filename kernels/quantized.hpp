// Inference in 8 bits on the CPU: images of u8, weights of s8, sums of s32.
//
// A real x is kept as q = round(x / scale) + zero_point, clamped to 0..255, and read as scale * (q - zero_point). Images have a
// scale and a zero point by channel, weights one scale by output channel and no zero point. What lies around an image has q =
// zero_point, so that padding adds exactly nothing. Sums are exact, and what follows them is f32 arithmetic without fused
// multiply-adds, rounded half up: every instruction set gives the same bits.
// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018,
// but for the scales by channel of images: as convolutions fold them into their weights, they cost nothing. Sums by Intel's
// vpdpbusd, which adds four products u8 * s8 to a s32 without saturation, where the CPU has it.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "kernels/convolution.hpp"
#include "kernels/image.hpp"
#include "kernels/memory.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {

// Of one channel.
struct Quantization {
  float scale = 1;
  std::uint8_t zero_point = 0;
  bool operator==(const Quantization&) const = default;
};

// The finest quantisation that spans low to high and 0, which is kept exactly.
[[nodiscard]] Quantization quantization_of(float low, float high);

// A convolution, plain or transposed, ready to run on this CPU. Scales of inputs are folded into the weights before those are
// quantised.
struct QuantizedConv {
  ConvGeometry geometry;
  bool transposed = false;
  int in = 0;
  int out = 0;
  std::vector<std::uint8_t> outside;  // zero points by input channel, to full blocks

  // One per lattice (kernels/lattices.hpp). The output is max(sum * multiplier + shift, least), by output channel.
  struct Part {
    Memory weights;  // [group][channel block][tap][four channels][output channel of group][4]
    std::vector<float> multiplier;
    std::vector<float> shift;
  };
  std::vector<Part> parts;
  float least = -std::numeric_limits<float>::infinity();
};

// What a QuantizedConv is made of; weight and bias as in kernels/convolution.hpp, bias may be null.
struct ConvParameters {
  const float* weight = nullptr;
  const float* bias = nullptr;
  ConvGeometry geometry;
  bool transposed = false;
  bool relu = false;
  int out = 0;
};

// inputs: by channel of all sources. output: how the result is to be kept, by channel, with zero points of 0 where there is a
// ReLU; empty for a result in f32.
[[nodiscard]] QuantizedConv quantize_conv(const ConvParameters& conv, std::span<const Quantization> inputs,
                                          std::span<const Quantization> output, CpuStream& stream);

// Runs it; Out is std::uint8_t, or float where quantize_conv was given no output.
template <class Out>
void quantized_conv_forward(Image<Out> out, const Sources<std::uint8_t>& in, const QuantizedConv& conv,
                            CpuStream& stream);

// out = q of (in * factor + term), all by channel; in is u8 (then factor and term are for its q) or f32. It quantises, changes
// scales, or applies a normalisation; where zero points are 0 it is a ReLU too. NaN becomes q = 0.
template <class In>
void requantize(Image<std::uint8_t> out, std::span<const Quantization> to, Image<const In> in,
                std::span<const float> factor, std::span<const float> term, CpuStream& stream);

// out = the reals that in stands for.
void dequantize(Image<float> out, Image<const std::uint8_t> in, std::span<const Quantization> from, CpuStream& stream);

// 2x2 max-pooling with stride 2 (kernels/pooling.hpp). It keeps scales and zero points, as kernels/upsample.hpp does, which takes
// u8 too.
void quantized_max_pool(Image<std::uint8_t> out, Image<const std::uint8_t> in, CpuStream& stream);

// The instructions that the 8-bit products use, for people: "avx512_vnni", say.
[[nodiscard]] std::string_view quantized_instruction_set();

}  // namespace plume::kernels

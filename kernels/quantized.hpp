// Inference in 8 bits on the CPU: images of u8, weights of s8, sums of s32.
//
// A real x is kept as q = round(x / scale) + zero_point, clamped to 0..255, and read as scale * (q - zero_point). Images have one
// scale and one zero point, weights one scale per output channel and no zero point. What lies around an image has q =
// zero_point, so that padding adds exactly nothing. Sums are exact, and what follows them is f32 arithmetic without fused
// multiply-adds, rounded half up: every instruction set gives the same bits.
// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018;
// sums by Intel's vpdpbusd, which adds four products u8 * s8 to a s32 without saturation, where the CPU has it.
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

struct Quantization {
  float scale = 1;
  std::uint8_t zero_point = 0;
  bool operator==(const Quantization&) const = default;
};

// The finest quantisation that spans low to high and 0, which is kept exactly.
[[nodiscard]] Quantization quantization_of(float low, float high);

// One of the concatenated inputs of a convolution.
struct QuantizedSource {
  int channels = 0;
  Quantization quantization;
};

// A convolution, plain or transposed, ready to run on this CPU. Scales of inputs are folded into the weights before those are
// quantised, so that inputs of different scales add up.
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

// output: how the result is to be kept; null for one in f32.
[[nodiscard]] QuantizedConv quantize_conv(const ConvParameters& conv, std::span<const QuantizedSource> sources,
                                          const Quantization* output, CpuStream& stream);

// Runs it; Out is std::uint8_t, or float where quantize_conv was given no output.
template <class Out>
void quantized_conv_forward(Image<Out> out, const Sources<std::uint8_t>& in, const QuantizedConv& conv,
                            CpuStream& stream);

// out = q of (in * factor[channel] + term[channel]), then ReLU where asked; in is u8 (then factor and term are for its q) or
// f32. It quantises, changes the scale, or applies a normalisation. NaN becomes the least value.
template <class In>
void requantize(Image<std::uint8_t> out, Quantization to, Image<const In> in, std::span<const float> factor,
                std::span<const float> term, bool relu, CpuStream& stream);

// out = the reals that in stands for.
void dequantize(Image<float> out, Image<const std::uint8_t> in, Quantization from, CpuStream& stream);

// out = q of a + b.
void quantized_add(Image<std::uint8_t> out, Quantization to, Image<const std::uint8_t> a, Quantization from_a,
                   Image<const std::uint8_t> b, Quantization from_b, CpuStream& stream);

// 2x2 max-pooling with stride 2 (kernels/pooling.hpp). It keeps scale and zero point, as kernels/upsample.hpp does, which takes
// u8 too.
void quantized_max_pool(Image<std::uint8_t> out, Image<const std::uint8_t> in, CpuStream& stream);

// The instructions that the 8-bit products use, for people: "avx512_vnni", say.
[[nodiscard]] std::string_view quantized_instruction_set();

}  // namespace plume::kernels

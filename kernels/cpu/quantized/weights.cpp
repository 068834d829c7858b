// Quantises and packs the weights of a convolution for the register tiles of this CPU.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/cpu/quantized/primitives.hpp"
#include "kernels/lattices.hpp"
#include "kernels/quantized.hpp"

namespace plume::kernels {
namespace {

constexpr float largest_weight = 127;
constexpr double largest_input = 255;
constexpr double largest_sum = 2147483647;

// Quantises the weights of one part, a group of output channels at a time.
class PartMaker {
 public:
  PartMaker(const ConvParameters& conv, const std::vector<Tap>& taps, std::span<const Quantization> inputs,
            std::span<const Quantization> output)
      : conv_(conv), taps_(taps), inputs_(inputs), output_(output) {
    const QuantizedPrimitives& cpu = quantized_primitives();
    group_ = std::min(QuantizedPrimitives::max_vectors, ceil_div(conv.out, cpu.lanes)) * cpu.lanes;
    groups_ = ceil_div(conv.out, group_);
    dots_ = ceil_div(static_cast<int>(inputs.size()), dot_channels);
  }

  [[nodiscard]] QuantizedConv::Part make(CpuStream& stream) const {
    QuantizedConv::Part part;
    const std::ptrdiff_t group_bytes = std::ptrdiff_t{dots_} * std::ssize(taps_) * group_ * dot_channels;
    const auto bytes = static_cast<std::size_t>(groups_ * group_bytes);
    if (bytes > 0) {
      part.weights = allocate(bytes, stream);
      if (!part.weights) throw std::bad_alloc();
      std::memset(part.weights.data(), 0, bytes);
    }
    part.multiplier.resize(static_cast<std::size_t>(groups_ * group_));
    part.shift.resize(part.multiplier.size());
    auto* packed = reinterpret_cast<std::int8_t*>(part.weights.data());
    parallel_tasks(stream, groups_, [&](std::ptrdiff_t group, int) {
      const int first = static_cast<int>(group) * group_;
      for (int o = first; o < std::min(first + group_, conv_.out); ++o) {
        make_output(part, packed + group * group_bytes, o, o - first);
      }
    });
    return part;
  }

 private:
  // The weight of a tap between an input and an output, in units of the input's steps.
  [[nodiscard]] float weight(const Tap& tap, int input, int output) const {
    return conv_.weight[tap.weight + std::ptrdiff_t{input} * conv_.out + output] *
           inputs_[static_cast<std::size_t>(input)].scale;
  }

  void make_output(QuantizedConv::Part& part, std::int8_t* group, int output, int place) const {
    const int in = static_cast<int>(inputs_.size());
    float largest = 0;
    double all = 0;
    for (const Tap& tap : taps_) {
      for (int i = 0; i < in; ++i) {
        const float magnitude = std::abs(weight(tap, i, output));
        largest = std::max(largest, magnitude);
        all += magnitude;
      }
    }
    // Half a step a weight is room for the rounding, so that no input makes the sum overflow.
    const double room = largest_sum / largest_input - 0.5 * static_cast<double>(in) * static_cast<double>(taps_.size());
    const float step = std::max({largest / largest_weight, static_cast<float>(all / room), 1e-30F});
    std::int64_t zero = 0;  // what the sum is where all inputs are zero
    for (std::size_t t = 0; t < taps_.size(); ++t) {
      for (int i = 0; i < in; ++i) {
        const auto q = static_cast<std::int8_t>(std::lround(weight(taps_[t], i, output) / step));
        zero += std::int64_t{q} * inputs_[static_cast<std::size_t>(i)].zero_point;
        *at(group, static_cast<int>(t), i, place) = q;
      }
    }
    const double bias = conv_.bias != nullptr ? static_cast<double>(conv_.bias[output]) : 0.0;
    const auto channel = static_cast<std::size_t>(output);
    const Quantization kept = output_.empty() ? Quantization{} : output_[channel];
    const auto output_step = static_cast<double>(kept.scale);
    part.multiplier[channel] = static_cast<float>(static_cast<double>(step) / output_step);
    part.shift[channel] = static_cast<float>(
        (bias - static_cast<double>(step) * static_cast<double>(zero)) / output_step + kept.zero_point);
  }

  // Where a weight lies in its group: [block][tap][dot of block][output][channel of dot].
  [[nodiscard]] std::int8_t* at(std::int8_t* group, int tap, int input, int place) const {
    constexpr int dots_per_block = block_channels / dot_channels;
    const int block = input / block_channels;
    const int dots = std::min(dots_per_block, dots_ - block * dots_per_block);  // of this block
    const int dot = input % block_channels / dot_channels;
    const std::ptrdiff_t before =
        std::ptrdiff_t{block} * dots_per_block * std::ssize(taps_) + std::ptrdiff_t{tap} * dots + dot;
    return group + (before * group_ + place) * dot_channels + input % dot_channels;
  }

  const ConvParameters& conv_;
  const std::vector<Tap>& taps_;
  std::span<const Quantization> inputs_;
  std::span<const Quantization> output_;
  int group_;
  int groups_;
  int dots_;  // groups of dot_channels in the input
};

}  // namespace

QuantizedConv quantize_conv(const ConvParameters& conv, std::span<const Quantization> inputs,
                            std::span<const Quantization> output, CpuStream& stream) {
  QuantizedConv result;
  result.geometry = conv.geometry;
  result.transposed = conv.transposed;
  result.in = static_cast<int>(inputs.size());
  result.out = conv.out;
  for (const Quantization& input : inputs) result.outside.push_back(input.zero_point);
  result.outside.resize(static_cast<std::size_t>(ceil_div(result.in, block_channels) * block_channels));
  if (!output.empty() || conv.relu) result.least = 0;
  // Taps do not depend on the size of the output.
  for (const Lattice& lattice :
       lattices_of(conv.geometry, conv.transposed, 1, 1, std::ptrdiff_t{result.in} * conv.out)) {
    result.parts.push_back(PartMaker(conv, lattice.taps, inputs, output).make(stream));
  }
  return result;
}

}  // namespace plume::kernels

// Eight-bit convolutions and passes against integer arithmetic by the definition, bit for bit, so that every instruction
// set gives the same bits. Compiled without fused multiply-adds, as the kernels are.
#include "kernels/quantized.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <list>

#include "conv_case.hpp"
#include "kernels/upsample.hpp"

namespace plume::tests {
namespace {

using kernels::ConvGeometry;
using kernels::Quantization;
using kernels::QuantizedConv;

std::uint8_t rounded(float value) {
  return static_cast<std::uint8_t>(std::floor(std::clamp(value, 0.0F, 255.0F) + 0.5F));
}

// Every q from 0 to 255.
Array random_bytes(int n, int h, int w, int c, std::uint64_t seed) {
  Array array = Array::random(n, h, w, c, seed, 0, 256);
  for (double& value : array.values) value = std::floor(value);
  return array;
}

struct QuantizedCase : ConvCase {
  bool transposed = false;
  bool relu = false;
  bool bias = true;
};

// One convolution: its weights quantised by the definition, and the sums that follow.
class QuantizedRun {
 public:
  explicit QuantizedRun(const QuantizedCase& problem)
      : problem_(problem),
        in_(random_bytes(problem.batch, problem.rows, problem.columns, problem.in(), 1)),
        weight_(problem.geometry.kernel, problem.in(), problem.out) {
    weight_.values = random_values(weight_.values.size(), 2);
    memory_ = converted<float>(weight_.values);
    bias_ = converted<float>(random_values(static_cast<std::size_t>(problem.out), 3));
    for (int c = 0; c < problem.in(); ++c) {
      inputs_.push_back({0.01F * static_cast<float>(1 + c % 3), static_cast<std::uint8_t>(c * 40)});
    }
    int first = 0;
    for (const int channels : problem.sources) {
      slices_.emplace_back(channel_slice(in_, first, channels), 3);
      images_.add(slices_.back().image());
      first += channels;
    }
  }

  void check(kernels::CpuStream& stream) {
    SCOPED_TRACE(problem_.text() + (problem_.transposed ? ", transposed" : ""));
    std::vector<Quantization> output;
    for (int o = 0; o < problem_.out; ++o) {
      const int zero_point = problem_.relu ? 0 : 70 + o % 50;
      output.push_back({0.02F * static_cast<float>(problem_.in() + o % 7), static_cast<std::uint8_t>(zero_point)});
    }
    const QuantizedConv eight = kernels::quantize_conv(parameters(), inputs_, output, stream);
    const QuantizedConv real = kernels::quantize_conv(parameters(), inputs_, {}, stream);
    const Array sums = reference_sums();
    Pixels<std::uint8_t> bytes(sums.like(), 2);
    kernels::quantized_conv_forward(bytes.image(), images_, eight, stream);
    Pixels<float> reals(sums.like(), 1);
    kernels::quantized_conv_forward(reals.image(), images_, real, stream);
    const Array byte_values = bytes.array();
    const Array real_values = reals.array();
    const Array exact = real_reference();
    const float least = problem_.relu ? 0.0F : -std::numeric_limits<float>::infinity();
    const double largest_input = 0.03;
    const int taps = problem_.geometry.kernel * problem_.geometry.kernel;
    int wrong = 0;
    for_each(sums, [&](int n, int y, int x, int o) {
      const auto part = static_cast<std::size_t>(part_of(y, x, 0));
      const auto channel = static_cast<std::size_t>(o);
      const auto value = [&](const QuantizedConv& conv) {
        return static_cast<float>(sums(n, y, x, o)) * conv.parts[part].multiplier[channel] +
               conv.parts[part].shift[channel];
      };
      wrong += static_cast<int>(byte_values(n, y, x, o) != rounded(value(eight)));
      wrong += static_cast<int>(real_values(n, y, x, o) != static_cast<double>(std::max(value(real), least)));
      // Half a step of each weight, times its input's largest magnitude.
      const double bound = 1e-5 + 0.5 * 1.01 / 127 * largest_input * 255 * problem_.in() * taps;
      wrong += static_cast<int>(std::abs(real_values(n, y, x, o) - exact(n, y, x, o)) > bound);
    });
    EXPECT_EQ(wrong, 0);
  }

 private:
  [[nodiscard]] kernels::ConvParameters parameters() const {
    return {memory_.data(),    problem_.bias ? bias_.data() : nullptr,
            problem_.geometry, problem_.transposed,
            problem_.relu,     problem_.out};
  }
  [[nodiscard]] const Quantization& input(int channel) const { return inputs_[static_cast<std::size_t>(channel)]; }

  // The lattice that an output pixel, or with the pad's sign turned a kernel's tap, belongs to.
  [[nodiscard]] int part_of(int row, int column, int pad_sign) const {
    if (!problem_.transposed) return 0;
    const int stride = problem_.geometry.stride;
    const auto phase = [&](int position, int pad) { return ((position - pad_sign * pad) % stride + stride) % stride; };
    return phase(row, problem_.geometry.pad[0]) * stride + phase(column, problem_.geometry.pad[1]);
  }

  // Each output channel of each part has a step of its own.
  [[nodiscard]] Weights quantized_weights() const {
    Weights q = weight_;
    const int kernel = weight_.kernel;
    const auto scaled = [&](int r, int s, int i, int o) {
      return static_cast<float>(weight_(r, s, i, o)) * input(i).scale;
    };
    const int parts = problem_.transposed ? problem_.geometry.stride * problem_.geometry.stride : 1;
    const auto each = [&](int part, const auto& body) {
      for (int r = 0; r < kernel; ++r) {
        for (int s = 0; s < kernel; ++s) {
          for (int i = 0; i < weight_.in && part_of(r, s, 1) == part; ++i) body(r, s, i);
        }
      }
    };
    for (int part = 0; part < parts; ++part) {
      for (int o = 0; o < weight_.out; ++o) {
        float largest = 0;
        each(part, [&](int r, int s, int i) { largest = std::max(largest, std::abs(scaled(r, s, i, o))); });
        each(part, [&](int r, int s, int i) { q(r, s, i, o) = std::round(scaled(r, s, i, o) / (largest / 127)); });
      }
    }
    return q;
  }

  // Of q * weight, where what lies around the image has q = its zero point.
  [[nodiscard]] Array reference_sums() const {
    const Weights q = quantized_weights();
    Array centred = in_;
    for_each(in_, [&](int n, int y, int x, int c) { centred(n, y, x, c) -= input(c).zero_point; });
    Array sums = problem_.transposed ? convolve_transposed(centred, q, problem_.geometry)
                                     : convolve(centred, q, problem_.geometry);
    std::vector<std::vector<double>> zero(4, std::vector<double>(static_cast<std::size_t>(q.out)));
    for (int r = 0; r < q.kernel; ++r) {
      for (int s = 0; s < q.kernel; ++s) {
        for (int i = 0; i < q.in; ++i) {
          for (int o = 0; o < q.out; ++o) {
            zero[static_cast<std::size_t>(part_of(r, s, 1))][static_cast<std::size_t>(o)] +=
                q(r, s, i, o) * input(i).zero_point;
          }
        }
      }
    }
    for_each(sums, [&](int n, int y, int x, int o) {
      sums(n, y, x, o) += zero[static_cast<std::size_t>(part_of(y, x, 0))][static_cast<std::size_t>(o)];
    });
    return sums;
  }

  // The convolution of the reals that the inputs stand for, with weights that nobody rounded.
  [[nodiscard]] Array real_reference() const {
    Array real = in_;
    for_each(in_, [&](int n, int y, int x, int c) {
      real(n, y, x, c) = static_cast<double>(input(c).scale) * (in_(n, y, x, c) - input(c).zero_point);
    });
    Array out = problem_.transposed ? convolve_transposed(real, weight_, problem_.geometry)
                                    : convolve(real, weight_, problem_.geometry);
    if (problem_.bias) out = biased(out, {bias_.begin(), bias_.end()});
    return problem_.relu ? relu(out) : out;
  }

  QuantizedCase problem_;
  Array in_;
  Weights weight_;
  std::vector<float> memory_;
  std::vector<float> bias_;
  std::vector<Quantization> inputs_;
  std::list<Pixels<std::uint8_t>> slices_;
  kernels::Sources<std::uint8_t> images_;
};

class QuantizedConvolution : public OnInstructionSet {
 protected:
  void check(const QuantizedCase& problem) {
    const ConvGeometry& g = problem.geometry;
    const int rows = problem.transposed ? g.transposed_rows(problem.rows) : g.output_rows(problem.rows);
    const int columns = problem.transposed ? g.transposed_columns(problem.columns) : g.output_columns(problem.columns);
    if (rows < 1 || columns < 1) return;
    for (kernels::CpuStream* stream : {&one_, &three_}) QuantizedRun(problem).check(*stream);
  }
  kernels::CpuStream one_{1};
  kernels::CpuStream three_{3};
};

constexpr ConvGeometry same{3, 1, {1, 1, 1, 1}};

TEST_F(QuantizedConvolution, EverySizeKernelStrideAndPad) {
  for (const auto& [rows, columns] : {std::array{1, 1}, {2, 3}, {5, 7}, {8, 15}, {37, 29}}) {
    for (const int kernel : {1, 3, 5}) {
      for (const int stride : {1, 2}) {
        const int half = kernel / 2;
        for (const std::array<int, 4>& pad : {std::array{half, half, half, half}, {0, 0, 0, 0}, {0, 1, 2, 0}}) {
          if (rows + pad[0] + pad[2] < kernel || columns + pad[1] + pad[3] < kernel) continue;
          check({{rows % 2 == 0 ? 3 : 1, rows, columns, {6}, 17, {kernel, stride, pad}}});
        }
      }
    }
  }
}

TEST_F(QuantizedConvolution, EveryTransposedSizeKernelAndCrop) {
  for (const auto& [rows, columns] : {std::array{1, 1}, {2, 3}, {7, 16}}) {
    for (const auto& [kernel, stride, crop] : {std::tuple{2, 2, std::array{0, 0, 0, 0}},
                                               {3, 2, std::array{0, 0, 1, 1}},
                                               {3, 2, std::array{1, 0, 0, 1}},
                                               {1, 2, std::array{0, 0, 0, 0}},
                                               {3, 1, std::array{1, 1, 1, 1}}}) {
      check({{2, rows, columns, {9, 20}, 35, {kernel, stride, crop}}, true, rows == 2});
    }
  }
}

TEST_F(QuantizedConvolution, EveryPairOfChannelCounts) {
  for (const int in : {1, 3, 4, 15, 16, 17, 31, 48, 64, 70}) {
    for (const int out : {1, 8, 16, 17, 32, 33, 70}) check({{1, 3, 5, {in}, out, same}, false, in % 2 == 0, out > 1});
  }
}

TEST_F(QuantizedConvolution, ConcatenatedSourcesOfTheirOwnScales) {
  for (const auto& split : {std::vector{16, 16}, {3, 30}, {17, 7}, {5, 11, 8, 7}, {1, 1, 1}, {64, 6}}) {
    check({{3, 9, 7, split, 24, same}});
    check({{1, 4, 5, split, 1, {1, 1, {}}}});
  }
}

// More images than one panel holds, and rows enough for many tasks.
TEST_F(QuantizedConvolution, LargeEnoughToBeCut) {
  check({{1, 40, 33, {150}, 100, same}, false, true});
  check({{3, 260, 257, {96}, 1, {1, 1, {}}}});
}

// All weights at their largest, all inputs too: what overflows without the room that is left for it.
TEST_F(QuantizedConvolution, SumsDoNotOverflow) {
  constexpr int channels = 70000;
  const std::vector<float> weight(channels, 1.0F);
  const Array in(1, 1, 1, channels);
  Pixels<std::uint8_t> pixel(in);
  std::fill_n(pixel.image().data, channels, std::uint8_t{255});
  const std::vector<Quantization> input(channels);
  const QuantizedConv conv =
      kernels::quantize_conv({weight.data(), nullptr, {1, 1, {}}, false, false, 1}, input, {}, one_);
  Pixels<float> out(Array(1, 1, 1, 1));
  kernels::quantized_conv_forward(out.image(), {pixel.image()}, conv, one_);
  EXPECT_NEAR(out.memory()[0], 255.0F * channels, 1e-2F * 255.0F * channels);
}

TEST(QuantizedPasses, ARangeAlwaysHoldsZeroExactly) {
  EXPECT_EQ(kernels::quantization_of(0, 51), (Quantization{0.2F, 0}));
  EXPECT_EQ(kernels::quantization_of(3, 51), (Quantization{0.2F, 0}));
  EXPECT_EQ(kernels::quantization_of(-25.5F, 0), (Quantization{0.1F, 255}));
  EXPECT_EQ(kernels::quantization_of(-10, 15.5F), (Quantization{0.1F, 100}));
  EXPECT_EQ(kernels::quantization_of(0, 0), Quantization{});
}

TEST(QuantizedPasses, RequantizeAndBack) {
  const Array in = Array::random(2, 37, 41, 19, 1, -3, 3);
  std::vector<Quantization> to;
  std::vector<float> factor;
  std::vector<float> term;
  const auto high = [](int c) { return 0.5F + 0.1F * static_cast<float>(c); };
  for (int c = 0; c < in.c; ++c) {
    to.push_back(kernels::quantization_of(c % 4 == 0 ? 0.0F : -1.0F, high(c)));  // a ReLU in every fourth channel
    factor.push_back(0.25F * static_cast<float>(c % 3));
    term.push_back(0.125F * static_cast<float>(c % 5));
  }
  Pixels<float> from(in, 2);
  std::vector<std::uint8_t> bits;
  for (const int threads : {1, 3}) {
    kernels::CpuStream stream(threads);
    Pixels<std::uint8_t> bytes(in.like(), 3);
    kernels::requantize<float>(bytes.image(), to, from.image(), factor, term, stream);
    Pixels<float> back(in.like(), 1);
    kernels::dequantize(back.image(), bytes.image(), to, stream);
    const Array values = back.array();
    int wrong = 0;
    for_each(in, [&](int n, int y, int x, int c) {
      const auto channel = static_cast<std::size_t>(c);
      const double value = in(n, y, x, c) * static_cast<double>(factor[channel]) + static_cast<double>(term[channel]);
      const double wanted = std::clamp(value, c % 4 == 0 ? 0 : -1.0, static_cast<double>(high(c)));
      // Half a step of rounding, and the zero point's own.
      wrong += static_cast<int>(std::abs(values(n, y, x, c) - wanted) > 1.01 * static_cast<double>(to[channel].scale));
    });
    EXPECT_EQ(wrong, 0);
    if (bits.empty()) bits = bytes.memory();
    EXPECT_EQ(bytes.memory(), bits);
  }
}

// From u8 to u8, bit for bit as the definition says.
TEST(QuantizedPasses, RequantizesBytes) {
  const Array in = random_bytes(2, 9, 11, 35, 1);
  const std::vector<Quantization> to(35, {0.3F, 90});
  const auto factor = converted<float>(random_values(35, 2, -0.5, 0.5));
  const auto term = converted<float>(random_values(35, 3, -9, 9));
  kernels::CpuStream stream(2);
  Pixels<std::uint8_t> from(in, 1);
  Pixels<std::uint8_t> bytes(in.like(), 2);
  kernels::requantize<std::uint8_t>(bytes.image(), to, from.image(), factor, term, stream);
  const Array values = bytes.array();
  int wrong = 0;
  for_each(in, [&](int n, int y, int x, int c) {
    const auto channel = static_cast<std::size_t>(c);
    const float multiplier = factor[channel] / 0.3F;
    const float shift = term[channel] / 0.3F + 90.0F;
    wrong += static_cast<int>(values(n, y, x, c) != rounded(static_cast<float>(in(n, y, x, c)) * multiplier + shift));
  });
  EXPECT_EQ(wrong, 0);
}

TEST(QuantizedPasses, ANanBecomesZero) {
  kernels::CpuStream stream(1);
  float nan = std::numeric_limits<float>::quiet_NaN();
  std::uint8_t q = 9;
  const std::vector<Quantization> to{{0.1F, 50}};
  const std::vector<float> one{1};
  const std::vector<float> zero{0};
  kernels::requantize<float>({&q, 1, 1, 1, 1}, to, {&nan, 1, 1, 1, 1}, one, zero, stream);
  EXPECT_EQ(q, 0);
}

TEST(QuantizedPasses, MaxPoolingTakesTheLargestByte) {
  kernels::CpuStream stream(2);
  for (const int channels : {1, 17, 64}) {
    const Array in = random_bytes(2, 9, 14, channels, 1);
    Pixels<std::uint8_t> from(in, 1);
    Pixels<std::uint8_t> to(Array(2, 4, 7, channels), 2);
    kernels::quantized_max_pool(to.image(), from.image(), stream);
    const Array pooled = to.array();
    int wrong = 0;
    for_each(pooled, [&](int n, int y, int x, int c) {
      wrong += static_cast<int>(pooled(n, y, x, c) !=
                                std::max({in(n, 2 * y, 2 * x, c), in(n, 2 * y, 2 * x + 1, c),
                                          in(n, 2 * y + 1, 2 * x, c), in(n, 2 * y + 1, 2 * x + 1, c)}));
    });
    EXPECT_EQ(wrong, 0);
  }
}

TEST(QuantizedPasses, UpsamplingIsTheRealOneRoundedHalfUp) {
  kernels::CpuStream stream(2);
  for (const auto interpolation : {kernels::Interpolation::nearest, kernels::Interpolation::bilinear}) {
    for (const auto& [rows, columns] : {std::array{1, 1}, {2, 3}, {11, 8}}) {
      const Array in = random_bytes(2, rows, columns, 19, 1);
      Pixels<std::uint8_t> from(in, 1);
      Pixels<double> from_real(in);
      Pixels<std::uint8_t> to(Array(2, 2 * rows, 2 * columns, 19), 2);
      Pixels<double> to_real(Array(2, 2 * rows, 2 * columns, 19));
      kernels::upsample_forward<std::uint8_t>(to.image(), from.image(), interpolation, stream);
      kernels::upsample_forward<double>(to_real.image(), from_real.image(), interpolation, stream);
      Array wanted = to_real.array();
      for (double& value : wanted.values) value = std::floor(value + 0.5);
      EXPECT_EQ(to.array().values, wanted.values);
    }
  }
}

}  // namespace
}  // namespace plume::tests

// One convolution, plain or transposed, run by the kernels in every way they can be asked for and compared with the
// reference.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "kernels/base/error.hpp"
#include "kernels/convolution.hpp"
#include "kernels/cpu/primitives.hpp"
#include "reference.hpp"

namespace plume::tests {

struct ConvCase {
  int batch = 1;
  int rows = 1;
  int columns = 1;
  std::vector<int> sources;  // input channels of each concatenated source
  int out = 1;
  kernels::ConvGeometry geometry;

  [[nodiscard]] int in() const { return std::accumulate(sources.begin(), sources.end(), 0); }
  [[nodiscard]] std::string text() const {
    return fmt::format("batch {}, {}x{}, channels {} -> {}, kernel {}, stride {}, pad {}", batch, rows, columns,
                       sources, out, geometry.kernel, geometry.stride, geometry.pad);
  }
};

// Sums of up to some thousand products of size 1 in T, compared with the largest of the result.
inline constexpr double conv_roundings = 40;

// The kernels of a plain convolution, its reference, and the errors allowed in outputs and data gradients and in weight
// gradients, in roundings of the type.
struct Plain {
  static constexpr double data_roundings = conv_roundings;
  static constexpr double weight_roundings = conv_roundings;
  template <class... A>
  static void forward(A&&... a) {
    kernels::conv2d_forward(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_data(A&&... a) {
    kernels::conv2d_backward_data(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_weight(A&&... a) {
    kernels::conv2d_backward_weight(std::forward<A>(a)...);
  }
  static constexpr auto reference = convolve;
  static constexpr auto reference_backward = convolve_backward;
};

struct Transposed {
  static constexpr double data_roundings = conv_roundings;
  static constexpr double weight_roundings = conv_roundings;
  template <class... A>
  static void forward(A&&... a) {
    kernels::conv_transpose2d_forward(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_data(A&&... a) {
    kernels::conv_transpose2d_backward_data(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_weight(A&&... a) {
    kernels::conv_transpose2d_backward_weight(std::forward<A>(a)...);
  }
  static constexpr auto reference = convolve_transposed;
  static constexpr auto reference_backward = convolve_transposed_backward;
};

// Channels [first, first + count) of an array.
inline Array channel_slice(const Array& array, int first, int count) {
  Array slice(array.n, array.h, array.w, count);
  for_each(slice, [&](int n, int y, int x, int c) { slice(n, y, x, c) = array(n, y, x, first + c); });
  return slice;
}

template <class T, class Kind>
class ConvRun {
 public:
  explicit ConvRun(const ConvCase& problem)
      : problem_(problem),
        in_(Array::random(problem.batch, problem.rows, problem.columns, problem.in(), 1)),
        weight_(problem.geometry.kernel, problem.in(), problem.out),
        bias_(random_values(static_cast<std::size_t>(problem.out), 3)) {
    weight_.values = random_values(weight_.values.size(), 2);
    expected_ = Kind::reference(in_, weight_, problem.geometry);
    int first = 0;
    for (std::size_t s = 0; s < problem.sources.size(); ++s) {
      // Every other source is a channel slice of something wider.
      slices_.emplace_back(channel_slice(in_, first, problem.sources[s]), s % 2 == 0 ? 0 : 5);
      sources_.add(slices_.back().image());
      first += problem.sources[s];
    }
    weight_memory_ = converted<T>(weight_.values);
  }

  void check(kernels::CpuStream& stream) {
    SCOPED_TRACE(problem_.text());
    check_forward(stream);
    const Array grad_out = Array::random(expected_.n, expected_.h, expected_.w, expected_.c, 4);
    const ConvGradients expected = Kind::reference_backward(in_, weight_, grad_out, problem_.geometry);
    Pixels<T> grad(grad_out, 3);
    for (const bool add : {false, true}) {
      check_data(grad.image(), expected.in, add, stream);
      check_weight(grad.image(), expected.weight.values, add, stream);
      check_bias(grad.image(), expected.bias, add, stream);
    }
  }

 private:
  static constexpr double data_bound = roundings<T>(Kind::data_roundings);
  static constexpr double weight_bound = roundings<T>(Kind::weight_roundings);

  void check_forward(kernels::CpuStream& stream) {
    const auto bias = converted<T>(bias_);
    for (const bool with_bias : {false, true}) {
      for (const bool with_relu : {false, true}) {
        Pixels<T> out(Array(expected_.n, expected_.h, expected_.w, expected_.c), with_relu ? 2 : 0);
        Kind::forward(out.image(), sources_, weight_memory_.data(), with_bias ? bias.data() : nullptr,
                      problem_.geometry, with_relu, stream);
        Array expected = with_bias ? biased(expected_, bias_) : expected_;
        if (with_relu) expected = relu(expected);
        expect_near(out.array(), expected, data_bound, "forward", 1);
      }
    }
  }

  void check_data(kernels::Image<T> grad_out, const Array& expected, bool add, kernels::CpuStream& stream) {
    int first = 0;
    for (const int channels : problem_.sources) {
      const Array before = Array::random(problem_.batch, problem_.rows, problem_.columns, channels, 5);
      Pixels<T> grad_in(before, 1);
      Kind::backward_data(grad_in.image(), kernels::Image<const T>(grad_out), weight_memory_.data(),
                          kernels::ChannelSlice{first, problem_.in()}, problem_.geometry, add, stream);
      Array wanted = channel_slice(expected, first, channels);
      if (add) wanted.values = sum_of(wanted.values, before.values);
      expect_near(grad_in.array(), wanted, data_bound, add ? "data gradient, added" : "data gradient", 1);
      first += channels;
    }
  }

  void check_weight(kernels::Image<T> grad_out, const std::vector<double>& expected, bool add,
                    kernels::CpuStream& stream) {
    const auto before = random_values(expected.size(), 6);
    auto grad = converted<T>(before);
    Kind::backward_weight(grad.data(), sources_, kernels::Image<const T>(grad_out), problem_.geometry, add, stream);
    expect_near(grad, add ? sum_of(expected, before) : expected, weight_bound,
                add ? "weight gradient, added" : "weight gradient", 1);
  }

  void check_bias(kernels::Image<T> grad_out, const std::vector<double>& expected, bool add,
                  kernels::CpuStream& stream) {
    const auto before = random_values(expected.size(), 7);
    auto grad = converted<T>(before);
    kernels::bias_backward(grad.data(), kernels::Image<const T>(grad_out), add, stream);
    expect_near(grad, add ? sum_of(expected, before) : expected, roundings<T>(conv_roundings), "bias gradient", 1);
  }

  ConvCase problem_;
  Array in_;
  Weights weight_;
  std::vector<double> bias_;
  Array expected_;
  std::vector<Pixels<T>> slices_;
  kernels::Sources<T> sources_;
  std::vector<T> weight_memory_;
};

// Skips where the environment asks for an instruction set that this CPU lacks.
class OnInstructionSet : public testing::Test {
 protected:
  void SetUp() override {
    try {
      (void)kernels::instruction_set();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::environment) throw;
      GTEST_SKIP() << error.what();
    }
  }
};

}  // namespace plume::tests

// One convolution, plain or transposed, by plume's own CUDA kernels and by the CPU operation in double on the same
// stored values.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "../kernels/conv_case.hpp"
#include "device_array.hpp"
#include "kernels/cuda/convolution/own.hpp"
#include "kernels/pooling.hpp"

namespace plume::tests {

namespace own = kernels::cuda::own;

struct OwnPlain {
  using OnCpu = Plain;
  template <class... A>
  static void forward(A&&... a) {
    own::conv2d_forward(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_data(A&&... a) {
    own::conv2d_backward_data(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_weight(A&&... a) {
    own::conv2d_backward_weight(std::forward<A>(a)...);
  }
  static std::array<int, 2> output(const ConvCase& p) {
    return {p.geometry.output_rows(p.rows), p.geometry.output_columns(p.columns)};
  }
};

struct OwnTransposed {
  using OnCpu = Transposed;
  template <class... A>
  static void forward(A&&... a) {
    own::conv_transpose2d_forward(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_data(A&&... a) {
    own::conv_transpose2d_backward_data(std::forward<A>(a)...);
  }
  template <class... A>
  static void backward_weight(A&&... a) {
    own::conv_transpose2d_backward_weight(std::forward<A>(a)...);
  }
  static std::array<int, 2> output(const ConvCase& p) {
    return {p.geometry.transposed_rows(p.rows), p.geometry.transposed_columns(p.columns)};
  }
};

// Elements between the pixels of each source: none; of others, aligned to 16 bytes or not.
inline constexpr std::array<int, 3> gaps{0, 5, 8};

template <class T, class Kind>
class DeviceConvRun {
 public:
  // `bound` is for f32 results, in terms of expect_near; rounding to T comes on top.
  DeviceConvRun(ConvCase problem, double bound, kernels::CudaStream& stream, kernels::CpuStream& cpu)
      : problem_(std::move(problem)),
        bound_(bound),
        stream_(stream),
        cpu_(cpu),
        weight_(as_stored<T>(random_values(weight_count(), 2))),
        weight_on_device_(stream, weight_) {
    const auto [rows, columns] = Kind::output(problem_);
    out_ = Array(problem_.batch, rows, columns, problem_.out);
    for (std::size_t s = 0; s < problem_.sources.size(); ++s) {
      const Array source =
          as_stored<T>(Array::random(problem_.batch, problem_.rows, problem_.columns, problem_.sources[s], 10 + s));
      host_.emplace_back(source);
      device_.emplace_back(stream, source, gaps[s % gaps.size()]);
    }
    for (auto& source : host_) host_sources_.add(kernels::Image<const double>(source.image()));
    for (const auto& source : device_) device_sources_.add(kernels::Image<const T>(source.image()));
  }

  void check_forward(bool with_bias, bool relu, int gap = 0) {
    SCOPED_TRACE(problem_.text());
    const auto bias = random_values(static_cast<std::size_t>(problem_.out), 3);
    const DeviceVector<float> device_bias(stream_, bias);
    Pixels<double> expected(out_);
    const DevicePixels<T> out(stream_, Array::random(out_.n, out_.h, out_.w, out_.c, 8), gap);
    Kind::OnCpu::forward(expected.image(), host_sources_, weight_.data(), with_bias ? bias.data() : nullptr,
                         problem_.geometry, relu, cpu_);
    Kind::forward(out.image(), device_sources_, weight_on_device_.data(), with_bias ? device_bias.data() : nullptr,
                  problem_.geometry, relu, stream_);
    expect_near(out.array(), expected.array(), stored_bound(), "forward", 1);
  }

  // The fused maxima are those of the output that comes with them, bit for bit.
  void check_pooled(int gap) {
    SCOPED_TRACE(problem_.text());
    const auto bias = random_values(static_cast<std::size_t>(problem_.out), 3);
    const DeviceVector<float> device_bias(stream_, bias);
    const DevicePixels<T> alone(stream_, out_, gap), out(stream_, out_, gap);
    const Array windows(out_.n, out_.h / 2, out_.w / 2, out_.c);
    own::conv2d_forward(alone.image(), device_sources_, weight_on_device_.data(), device_bias.data(), problem_.geometry,
                        true, stream_);
    const DevicePixels<T> pooled(stream_, windows, 8 - gap);
    own::conv2d_pool_forward(out.image(), pooled.image(), device_sources_, weight_on_device_.data(), device_bias.data(),
                             problem_.geometry, true, stream_);
    Pixels<double> unpooled(alone.array()), expected(windows);
    kernels::max_pool_forward(expected.image(), nullptr, kernels::Image<const double>(unpooled.image()), cpu_);
    EXPECT_EQ(out.array().values, alone.array().values);
    EXPECT_EQ(pooled.array().values, expected.array().values);
  }

  // For each source, into memory with a gap as wide as the source's own.
  void check_backward_data(bool add) {
    SCOPED_TRACE(problem_.text());
    const Array grad_out = as_stored<T>(Array::random(out_.n, out_.h, out_.w, out_.c, 4));
    Pixels<double> host_grad(grad_out);
    const DevicePixels<T> device_grad(stream_, grad_out, problem_.out % 2 == 0 ? 0 : 3);
    int first = 0;
    for (std::size_t s = 0; s < problem_.sources.size(); ++s) {
      const int channels = problem_.sources[s];
      const Array before = as_stored<T>(Array::random(problem_.batch, problem_.rows, problem_.columns, channels, 5));
      const kernels::ChannelSlice slice{first, problem_.in()};
      Pixels<double> expected(before);
      const DevicePixels<T> grad_in(stream_, before, gaps[s % gaps.size()]);
      Kind::OnCpu::backward_data(expected.image(), kernels::Image<const double>(host_grad.image()), weight_.data(),
                                 slice, problem_.geometry, add, cpu_);
      Kind::backward_data(grad_in.image(), kernels::Image<const T>(device_grad.image()), weight_on_device_.data(),
                          slice, problem_.geometry, add, stream_);
      expect_near(grad_in.array(), expected.array(), stored_bound(), add ? "data gradient, added" : "data gradient", 1);
      first += channels;
    }
  }

  void check_backward_weight(bool add, int gap = 0) {
    SCOPED_TRACE(problem_.text());
    const Array grad_out = as_stored<T>(Array::random(out_.n, out_.h, out_.w, out_.c, 4));
    Pixels<double> host_grad(grad_out);
    const DevicePixels<T> device_grad(stream_, grad_out, gap);
    const auto before = random_values(weight_count(), 6);
    auto expected = before;
    const DeviceVector<float> grad_weight(stream_, before);
    Kind::OnCpu::backward_weight(expected.data(), host_sources_, kernels::Image<const double>(host_grad.image()),
                                 problem_.geometry, add, cpu_);
    Kind::backward_weight(grad_weight.data(), device_sources_, kernels::Image<const T>(device_grad.image()),
                          problem_.geometry, add, stream_);
    expect_near(grad_weight.values(), expected, bound_, add ? "weight gradient, added" : "weight gradient", 1);
  }

 private:
  [[nodiscard]] std::size_t weight_count() const {
    return static_cast<std::size_t>(problem_.geometry.kernel * problem_.geometry.kernel * problem_.in() * problem_.out);
  }
  [[nodiscard]] double stored_bound() const { return bound_ + device_roundings<T>(0); }

  ConvCase problem_;
  double bound_;
  kernels::CudaStream& stream_;
  kernels::CpuStream& cpu_;
  std::vector<double> weight_;
  DeviceVector<T> weight_on_device_;
  Array out_;
  std::vector<Pixels<double>> host_;
  std::vector<DevicePixels<T>> device_;
  kernels::Sources<double> host_sources_;
  kernels::Sources<T> device_sources_;
};

// Sums of up to some thousand products in f32; tensor cores cut off, rather than round, what they add (46 seen on an H200).
inline constexpr double f32_bound = roundings<float>(80);

inline constexpr kernels::ConvGeometry same{3, 1, {1, 1, 1, 1}};
inline constexpr kernels::ConvGeometry point{1, 1, {}};
inline constexpr kernels::ConvGeometry twofold{2, 2, {}};                  // PyTorch's ConvTranspose2d(2, stride 2)
inline constexpr kernels::ConvGeometry keras_twofold{3, 2, {0, 0, 1, 1}};  // TensorFlow's 3x3, stride 2, padding 'same'

// What every convolution kernel must do, in whichever direction.
struct ConvCases {
  std::vector<ConvCase> plain;
  std::vector<ConvCase> transposed;

  // check.template operator()<Kind>(problem)
  template <class Check>
  void each(const Check& check) const {
    for (const ConvCase& problem : plain) check.template operator()<OwnPlain>(problem);
    for (const ConvCase& problem : transposed) check.template operator()<OwnTransposed>(problem);
  }
};

inline ConvCases geometry_cases() {
  ConvCases cases;
  for (const auto& [rows, columns] : {std::array{1, 1}, {5, 7}, {12, 11}}) {
    for (const int kernel : {1, 3, 5}) {
      for (const int stride : {1, 2}) {
        const int half = kernel / 2;
        for (const std::array<int, 4>& pad : {std::array{half, half, half, half}, {0, 1, 2, 0}}) {
          if (rows + pad[0] + pad[2] < kernel || columns + pad[1] + pad[3] < kernel) continue;
          cases.plain.push_back({1, rows, columns, {6}, 9, {kernel, stride, pad}});
        }
      }
    }
  }
  for (const auto& [rows, columns] : {std::array{1, 1}, {3, 5}, {12, 11}}) {
    for (const kernels::ConvGeometry& geometry :
         {twofold, keras_twofold, same, kernels::ConvGeometry{5, 2, {2, 1, 0, 2}}, kernels::ConvGeometry{1, 2, {}}}) {
      cases.transposed.push_back({1, rows, columns, {6}, 9, geometry});
    }
  }
  return cases;
}

inline ConvCases channel_cases() {
  const std::vector<int> counts{1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 31, 32, 33, 40, 64, 72};
  ConvCases cases;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const int out = counts[(i * 7 + 3) % counts.size()];
    cases.plain.push_back({1, 4, 5, {counts[i]}, out, same});
    cases.transposed.push_back({1, 3, 3, {counts[i]}, out, twofold});
  }
  return cases;
}

inline ConvCases source_cases() {
  ConvCases cases;
  for (const auto& split : {std::vector<int>{16, 16}, {3, 30}, {16, 8, 24}, {5, 11, 8, 7}}) {
    cases.plain.push_back({2, 5, 4, split, 24, same});
    cases.plain.push_back({1, 4, 5, split, 3, point});
    cases.transposed.push_back({2, 3, 4, split, 20, twofold});
  }
  return cases;
}

inline ConvCases batch_cases() {
  ConvCases cases;
  for (const int batch : {1, 2, 3, 4, 5}) cases.plain.push_back({batch, 7, 9, {8}, 8, same});
  return cases;
}

}  // namespace plume::tests

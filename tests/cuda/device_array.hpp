// The tests' arrays in a CUDA device's memory, and the fixture of all tests that need a device.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <vector>

#include "../kernels/array.hpp"
#include "kernels/base/dtype.hpp"
#include "kernels/image.hpp"
#include "kernels/memory.hpp"
#include "kernels/stream.hpp"

namespace plume::tests {

// The element types that CUDA operations exist for.
using DeviceElements = testing::Types<float, bf16>;

template <class T, class From>
T element(From value) {
  if constexpr (std::is_class_v<T>) {  // of 16 bits
    return T(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

// Values as memory of T holds them: what the CPU operation must be given for its result to be the device's reference.
template <class T>
std::vector<double> as_stored(std::vector<double> values) {
  for (double& value : values) value = static_cast<double>(element<T>(value));
  return values;
}
template <class T>
Array as_stored(Array array) {
  array.values = as_stored<T>(std::move(array.values));
  return array;
}

// A bound for expect_near: `count` roundings of the float arithmetic, and then one to T's storage (bf16: 8 bits).
template <class T>
constexpr double device_roundings(double count) {
  return roundings<float>(count) + (std::is_same_v<T, bf16> ? 0x1p-8 : 0.0);
}

template <class T>
kernels::Memory on_device(kernels::CudaStream& stream, const std::vector<T>& values) {
  kernels::Memory memory = kernels::allocate(values.size() * sizeof(T), stream);
  kernels::upload(memory.data(), values.data(), values.size() * sizeof(T), stream);
  return memory;
}

// A vector of T on the device.
template <class T>
class DeviceVector {
 public:
  template <class From>
  DeviceVector(kernels::CudaStream& stream, const std::vector<From>& values) : stream_(&stream), count_(values.size()) {
    std::vector<T> elements(count_);
    for (std::size_t i = 0; i < count_; ++i) elements[i] = element<T>(values[i]);
    memory_ = on_device(stream, elements);
    stream.synchronize();  // `elements` ends here
  }
  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(memory_.data()); }
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(count_);
    kernels::download(result.data(), memory_.data(), count_ * sizeof(T), *stream_);
    return result;
  }

 private:
  kernels::CudaStream* stream_;
  std::size_t count_;
  kernels::Memory memory_;
};

// An array on the device: elements of T, `extra_stride` elements of other people's behind each pixel.
template <class T>
class DevicePixels {
 public:
  DevicePixels(kernels::CudaStream& stream, const Array& array, int extra_stride = 0)
      : shape_(array.like()), stride_(array.c + extra_stride), memory_(stream, spread(array, stride_)) {}

  [[nodiscard]] kernels::Image<T> image() const {
    return {memory_.data(), shape_.n, shape_.h, shape_.w, shape_.c, stride_};
  }
  // What the kernel left; fails where it wrote between the pixels.
  [[nodiscard]] Array array() const {
    const std::vector<T> elements = memory_.values();
    const T untouched = element<T>(foreign);
    Array result = shape_.like();
    auto to = result.values.begin();
    bool intact = true;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (i % static_cast<std::size_t>(stride_) < static_cast<std::size_t>(shape_.c)) {
        *to++ = static_cast<double>(elements[i]);
      } else {
        intact = intact && elements[i] == untouched;
      }
    }
    EXPECT_TRUE(intact) << "elements between two pixels were written";
    return result;
  }

 private:
  static constexpr double foreign = -12345;
  static std::vector<double> spread(const Array& array, int stride) {
    const auto channels = static_cast<std::size_t>(array.c);
    const std::size_t pixels = array.values.size() / channels;
    std::vector<double> memory(pixels * static_cast<std::size_t>(stride), foreign);
    for (std::size_t p = 0; p < pixels; ++p) {
      std::copy_n(array.values.begin() + static_cast<std::ptrdiff_t>(p * channels), channels,
                  memory.begin() + static_cast<std::ptrdiff_t>(p) * stride);
    }
    return memory;
  }

  Array shape_;
  int stride_;
  DeviceVector<T> memory_;
};

// A stream of the first device beside one CPU thread for the reference.
class OnCuda : public testing::Test {
 protected:
  void SetUp() override {
    if (kernels::cuda_device_count() == 0) GTEST_SKIP() << "this machine has no CUDA device, or no driver for it";
    stream_.emplace();
  }

  std::optional<kernels::CudaStream> stream_;
  kernels::CpuStream cpu_{1};
};

}  // namespace plume::tests

// What the emulator's own tests share: a fixture with memory on the emulated device, and the reports of wrong kernels.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "device_language.hpp"
#include "kernels/base/error.hpp"
#include "kernels/emulator/schedule.hpp"
#include "kernels/emulator/testing.hpp"

// Whether kernels' accesses are watched: not under the sanitizers, which watch them in their own way.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool accesses_watched = false;
#else
inline constexpr bool accesses_watched = true;
#endif

namespace plume::tests {

using kernels::cuda::check;
using kernels::cuda::launch;
using kernels::cuda::LaunchShape;

// An array of T in device memory.
template <class T>
class Device {
 public:
  explicit Device(std::size_t count) : count_(count) { check(cudaMalloc(&data_, count * sizeof(T))); }
  explicit Device(const std::vector<T>& values) : Device(values.size()) {
    check(cudaMemcpy(data_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  ~Device() { static_cast<void>(cudaFree(data_)); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::vector<T> values() const {
    std::vector<T> result(count_);
    check(cudaDeviceSynchronize());
    check(cudaMemcpy(result.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
    return result;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

class Emulated : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(emulator::take_report(), ""); }

  // The report of the error that the launch makes, or nothing.
  template <auto kernel, class... Arguments>
  std::string report_of(const LaunchShape& shape, Arguments... arguments) {
    launch<kernel>(shape, stream_, arguments...);
    return emulator::take_report();
  }

  kernels::CudaStream stream_;
};

// Runs each test under several orders of threads.
class Scheduled : public Emulated, public testing::WithParamInterface<const char*> {
 protected:
  Scheduled() : before_(emulator::schedule()) { emulator::set_schedule(emulator::Schedule::parse(GetParam())); }
  ~Scheduled() override { emulator::set_schedule(before_); }

 private:
  emulator::Schedule before_;
};

inline auto schedules() {
  return testing::Values("forward", "reverse", "warp", "seed:1", "seed:2");
}
inline std::string schedule_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  for (char& c : name) c = c == ':' ? '_' : c;
  return name;
}

}  // namespace plume::tests

// Optimiser updates and conversions of flat buffers on CUDA against the CPU's: packs and single elements, tails, loops
// that come round.
#include "kernels/optimizer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <type_traits>
#include <vector>

#include "device_array.hpp"

namespace plume::tests {
namespace {

// Elements, and how many lie before the first: 0 is aligned for accesses of 16 bytes, 1 is not.
struct Extent {
  std::size_t count, shift;
  [[nodiscard]] std::size_t all() const { return count + shift; }
  [[nodiscard]] std::ptrdiff_t size() const { return static_cast<std::ptrdiff_t>(count); }
};
// One element; packs alone; packs and a tail; single elements in several blocks; more than one for each of the emulated
// device's threads, in packs and singly.
constexpr Extent extents[] = {{1, 0}, {1024, 0}, {5003, 0}, {1501, 1}, {33003, 0}, {9001, 1}};

class CudaOptimizer : public OnCuda {
 protected:
  // step(buffers, constants, squared, stream), three times on the CPU and on the device.
  template <class Body, class Step>
  void check(const Body& body, const Step& step) {
    for (const Extent& extent : extents) {
      for (const bool extras : {false, true}) check(extent, body, extras, step);
    }
  }

  // extras: clipping, the average and the copy.
  template <class Body, class Step>
  void check(const Extent& extent, const Body& body, bool extras, const Step& step) {
    SCOPED_TRACE(testing::Message() << extent.count << " elements from " << extent.shift << ", extras " << extras);
    const std::size_t all = extent.all();
    auto parameters = converted<float>(random_values(all, 1));
    std::vector<float> first(all), second(all), average(all, 2.0F);
    std::vector<bf16> copy(all, bf16(7.0F));
    const DeviceVector<float> parameters_device(*stream_, parameters), first_device(*stream_, first),
        second_device(*stream_, second), average_device(*stream_, average);
    const DeviceVector<bf16> copy_device(*stream_, copy);
    using Constants = kernels::UpdateConstants<float, Body>;
    const Constants constants{body, extras ? 1.0F : std::numeric_limits<float>::infinity(), 0.75F};
    const kernels::Memory constants_device = on_device(*stream_, std::vector{constants});
    const auto from = [&](auto* data) { return data + extent.shift; };
    for (std::uint64_t time = 0; time < 3; ++time) {
      const auto gradients = converted<float>(random_values(all, 100 + time));
      const DeviceVector<float> gradients_device(*stream_, gradients);
      const DeviceVector<double> squared_device(*stream_, std::vector<double>{0});
      double squared = 0;
      kernels::squared_norm(&squared, from(gradients.data()), extent.size(), cpu_);
      kernels::squared_norm(squared_device.data(), from(gradients_device.data()), extent.size(), *stream_);
      EXPECT_NEAR(squared_device.values()[0], squared, 1e-12 * squared);
      step(kernels::UpdateBuffers<float>{from(parameters.data()), from(gradients.data()), from(first.data()),
                                         from(second.data()), extras ? from(average.data()) : nullptr,
                                         extras ? from(copy.data()) : nullptr, extent.size()},
           &constants, &squared, cpu_);
      step(kernels::UpdateBuffers<float>{from(parameters_device.data()), from(gradients_device.data()),
                                         from(first_device.data()), from(second_device.data()),
                                         extras ? from(average_device.data()) : nullptr,
                                         extras ? from(copy_device.data()) : nullptr, extent.size()},
           reinterpret_cast<const Constants*>(constants_device.data()), squared_device.data(), *stream_);
    }
    expect_alike(parameters_device, parameters, "parameters");
    expect_alike(first_device, first, "first moment");
    expect_alike(second_device, second, "second moment");
    expect_alike(average_device, average, "average");
    const auto updated = parameters_device.values();
    const auto copied = copy_device.values();
    for (std::size_t i = 0; i < all; ++i) {
      const float wanted = extras && i >= extent.shift ? updated[i] : 7.0F;
      ASSERT_EQ(copied[i].bits(), bf16(wanted).bits()) << "copy " << i;
    }
  }

  static void expect_alike(const DeviceVector<float>& ours, const std::vector<float>& expected, const char* what) {
    expect_near(ours.values(), std::vector<double>(expected.begin(), expected.end()), roundings<float>(16), what);
  }
};

TEST_F(CudaOptimizer, Adamw) {
  check(kernels::AdamwBody<float>{0.01F, 0.9F, 0.99F, 1e-3F, 0.001F, 0.1F, 0.1F},
        [](const auto& buffers, const auto* constants, const double* squared, auto& stream) {
          kernels::adamw_step(buffers, constants, squared, stream);
        });
}

TEST_F(CudaOptimizer, Sgd) {
  for (const bool nesterov : {false, true}) {
    check(kernels::SgdBody<float>{0.1F, 0.8F, 0.05F, nesterov},
          [](const auto& buffers, const auto* constants, const double* squared, auto& stream) {
            kernels::sgd_step(buffers, constants, squared, stream);
          });
  }
}

TEST_F(CudaOptimizer, LambDirection) {
  const kernels::LambBody<float> body{0.9F, 0.99F, 1e-3F, 0.05F, 0.1F, 0.1F};
  for (const Extent& extent : extents) {
    SCOPED_TRACE(testing::Message() << extent.count << " elements from " << extent.shift);
    const auto from = [&](auto* data) { return data + extent.shift; };
    auto gradients = converted<float>(random_values(extent.all(), 1));
    auto parameters = converted<float>(random_values(extent.all(), 2));
    std::vector<float> first(extent.all(), 0.1F), second(extent.all(), 0.2F);
    const DeviceVector<float> gradients_device(*stream_, gradients), parameters_device(*stream_, parameters),
        first_device(*stream_, first), second_device(*stream_, second);
    const kernels::UpdateConstants<float, kernels::LambBody<float>> constants{body, 3.0F};
    const kernels::Memory constants_device = on_device(*stream_, std::vector{constants});
    const double squared = 16;
    const DeviceVector<double> squared_device(*stream_, std::vector<double>{squared});
    kernels::lamb_direction<float>(
        from(gradients.data()),
        {from(parameters.data()), nullptr, from(first.data()), from(second.data()), nullptr, nullptr, extent.size()},
        &constants, &squared, cpu_);
    kernels::lamb_direction<float>(from(gradients_device.data()),
                                   {from(parameters_device.data()), nullptr, from(first_device.data()),
                                    from(second_device.data()), nullptr, nullptr, extent.size()},
                                   reinterpret_cast<const decltype(constants)*>(constants_device.data()),
                                   squared_device.data(), *stream_);
    expect_alike(gradients_device, gradients, "directions");
    expect_alike(first_device, first, "first moment");
    expect_alike(second_device, second, "second moment");
  }
}

TEST_F(CudaOptimizer, AdaptToLayer) {
  for (const Extent& extent : extents) {
    for (const float coefficient : {0.0F, 0.02F}) {
      SCOPED_TRACE(testing::Message() << extent.count << " elements from " << extent.shift << ", " << coefficient);
      const auto from = [&](auto* data) { return data + extent.shift; };
      auto gradients = converted<float>(random_values(extent.all(), 1));
      auto parameters = converted<float>(random_values(extent.all(), 2));
      const DeviceVector<float> gradients_device(*stream_, gradients), parameters_device(*stream_, parameters);
      const kernels::UpdateConstants<float, kernels::TrustBody<float>> constants{{coefficient, 0.05F}, 3.0F};
      const kernels::Memory constants_device = on_device(*stream_, std::vector{constants});
      const std::vector<double> norms{9, 16, 25};  // of the layer's parameters and gradients, of all gradients
      const DeviceVector<double> norms_device(*stream_, norms);
      kernels::adapt_to_layer<float>(from(gradients.data()), from(parameters.data()), extent.size(), &constants,
                                     norms.data(), norms.data() + 2, cpu_);
      kernels::adapt_to_layer<float>(from(gradients_device.data()), from(parameters_device.data()), extent.size(),
                                     reinterpret_cast<const decltype(constants)*>(constants_device.data()),
                                     norms_device.data(), norms_device.data() + 2, *stream_);
      expect_alike(gradients_device, gradients, "gradients");
    }
  }
}

// More blocks' sums than the last block has threads.
TEST_F(CudaOptimizer, SquaredNormOfManyIsTheSameEveryTime) {
  const std::size_t count = (std::size_t{1} << 20) + 3;
  const auto values = converted<float>(random_values(count, 5));
  double expected = 0;
  kernels::squared_norm(&expected, values.data(), static_cast<std::ptrdiff_t>(count), cpu_);
  const DeviceVector<float> aligned(*stream_, values);
  auto moved = values;
  moved.insert(moved.begin(), 0.0F);
  const DeviceVector<float> shifted(*stream_, moved);
  const DeviceVector<double> results(*stream_, std::vector<double>{0, 0});
  kernels::squared_norm(results.data(), aligned.data(), static_cast<std::ptrdiff_t>(count), *stream_);
  kernels::squared_norm(results.data() + 1, shifted.data() + 1, static_cast<std::ptrdiff_t>(count), *stream_);
  EXPECT_NEAR(results.values()[0], expected, 1e-12 * expected);
  EXPECT_EQ(results.values()[1], results.values()[0]) << "from memory that is not aligned";
}

TEST_F(CudaOptimizer, MovingAverage) {
  for (const Extent& extent : extents) {
    const std::size_t all = extent.all();
    auto average = converted<float>(random_values(all, 1));
    const auto values = converted<float>(random_values(all, 2));
    const DeviceVector<float> average_device(*stream_, average), values_device(*stream_, values),
        decay_device(*stream_, std::vector{0.75F});
    const float decay = 0.75F;
    const auto follow = [&](const double* squared, const double* squared_there) {
      kernels::moving_average(average.data() + extent.shift, values.data() + extent.shift, extent.size(), &decay,
                              squared, cpu_);
      kernels::moving_average(average_device.data() + extent.shift, values_device.data() + extent.shift, extent.size(),
                              decay_device.data(), squared_there, *stream_);
    };
    follow(nullptr, nullptr);
    expect_near(average_device.values(), std::vector<double>(average.begin(), average.end()), roundings<float>(2),
                "average");
    const DeviceVector<double> none(*stream_, std::vector<double>{std::numeric_limits<double>::quiet_NaN()});
    const auto before = average_device.values();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    follow(&nan, none.data());
    EXPECT_EQ(average_device.values(), before);
  }
}

// An update whose gradients' norm is no number is none.
TEST_F(CudaOptimizer, NothingIsChangedWhereTheNormIsNotFinite) {
  const auto values = converted<float>(random_values(1000, 1));
  const DeviceVector<float> parameters(*stream_, values), gradients(*stream_, values), first(*stream_, values),
      second(*stream_, values);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const DeviceVector<double> squared(*stream_, std::vector<double>{bad});
    const kernels::UpdateBuffers<float> buffers{parameters.data(), gradients.data(), first.data(), second.data(),
                                                nullptr,           nullptr,          1000};
    const auto unchanged = [&](const auto& body, const auto& step) {
      using Constants = kernels::UpdateConstants<float, std::decay_t<decltype(body)>>;
      const kernels::Memory constants = on_device(*stream_, std::vector{Constants{body, 1.0F, 0.5F}});
      step(reinterpret_cast<const Constants*>(constants.data()));
      for (const auto* buffer : {&parameters, &gradients, &first, &second}) EXPECT_EQ(buffer->values(), values);
    };
    unchanged(kernels::AdamwBody<float>{0.1F, 0.9F, 0.99F, 1e-8F, 0, 1, 1},
              [&](const auto* c) { kernels::adamw_step(buffers, c, squared.data(), *stream_); });
    unchanged(kernels::SgdBody<float>{0.1F, 0.9F, 0, false},
              [&](const auto* c) { kernels::sgd_step(buffers, c, squared.data(), *stream_); });
    unchanged(kernels::LambBody<float>{0.9F, 0.99F, 1e-8F, 0, 1, 1},
              [&](const auto* c) { kernels::lamb_direction(gradients.data(), buffers, c, squared.data(), *stream_); });
  }
}

}  // namespace
}  // namespace plume::tests

// The choice of a device.
#include "unet/inference/device.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "kernels/base/error.hpp"
#include "kernels/cuda/info.hpp"
#include "kernels/quantized.hpp"
#include "kernels/vendor_libraries.hpp"

namespace plume::unet {
namespace {

template <class Enum>
const std::string& name_in(const std::vector<std::pair<std::string, Enum>>& names, Enum value) {
  return std::find_if(names.begin(), names.end(), [&](const auto& pair) { return pair.second == value; })->first;
}

const std::string& name_of(Precision precision) {
  return name_in(inference_precision_names, precision);
}

std::string no_device_text() {
  const std::string obstacle = kernels::cuda_info().obstacle;
  return obstacle.empty() ? "there is no CUDA device" : obstacle;
}

kernels::CudaInfo::Device device_of(const kernels::CudaStream& stream) {
  return kernels::cuda_info().devices.at(static_cast<std::size_t>(stream.device()));
}

}  // namespace

kernels::Stream make_stream(const DeviceSettings& settings, int threads, int gpu) {
  const bool int8 = settings.precision == Precision::int8;
  if (int8 && settings.kind == DeviceKind::cuda) throw usage_error("precision int8 is for the CPU; choose device cpu");
  const bool cuda = settings.kind == DeviceKind::cuda ||
                    (settings.kind == DeviceKind::automatic && !int8 && kernels::cuda_device_count() > 0);
  if (cuda) {
    kernels::CudaStream stream(
        gpu, settings.precision == Precision::tf32 ? kernels::MathMode::tf32 : kernels::MathMode::f32);
    kernels::use_vendor_libraries(stream);
    return stream;
  }
  if (settings.precision != Precision::f32 && !int8) {
    throw usage_error("precision {} needs CUDA, and {}; choose f32", name_of(settings.precision),
                      settings.kind == DeviceKind::cpu ? "device is cpu" : no_device_text());
  }
  return kernels::CpuStream(threads, settings.conv);
}

DType element_type(Precision precision) {
  return precision == Precision::bf16 ? DType::bf16 : DType::f32;
}

std::string arithmetic(const kernels::Stream& stream, Precision precision) {
  if (const auto* cpu = std::get_if<kernels::CpuStream>(&stream)) {
    return fmt::format("{}, {} convolutions", kernels::instruction_set(), name_in(conv_names, cpu->convolutions()));
  }
  const int architecture = device_of(std::get<kernels::CudaStream>(stream)).architecture;
  return fmt::format("CUDA {}.{} {}", architecture / 10, architecture % 10, name_of(precision));
}

std::string describe_device(const kernels::Stream& stream, Precision precision) {
  if (const auto* cuda = std::get_if<kernels::CudaStream>(&stream))
    return fmt::format("{}, {}", device_of(*cuda).name, name_of(precision));
  const kernels::CudaInfo info = kernels::cuda_info();
  std::string cpu = fmt::format("CPU, {} instructions", kernels::instruction_set());
  if (precision == Precision::int8) cpu += fmt::format(", int8 by {}", kernels::quantized_instruction_set());
  if (precision == Precision::int8 || info.obstacle.empty()) return cpu;
  return fmt::format("{} ({})", cpu, info.obstacle);
}

}  // namespace plume::unet

// Versions and devices by the CUDA runtime.
#include "kernels/cuda/info.hpp"

#include <cuda_runtime.h>
#include <fmt/core.h>

#include "kernels/stream.hpp"

namespace plume::kernels {
namespace {

// CUDA writes 13.1 as 13010.
std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU";
  for (int i = 0; i < 16; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

// What cudaGetDeviceCount's error or its zero means to people. A driver of the same major version will do.
std::string obstacle_text(cudaError_t error, const CudaInfo& info) {
  if (info.driver.empty()) return "no CUDA driver was found";
  if (error == cudaErrorInsufficientDriver)
    return fmt::format("the GPU's driver knows CUDA up to {} and this program needs {}: update the driver", info.driver,
                       version_text(CUDART_VERSION / 1000 * 1000));
  if (error == cudaSuccess || error == cudaErrorNoDevice) return "no CUDA device was found";
  return fmt::format("the GPU's driver fails: {}", cudaGetErrorString(error));
}

}  // namespace

CudaInfo cuda_info() {
  CudaInfo info;
  info.compiled = version_text(CUDART_VERSION);
  int driver = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0) info.driver = version_text(driver);
  int count = 0;
  const cudaError_t counted = cudaGetDeviceCount(&count);
  if (counted != cudaSuccess || count == 0) info.obstacle = obstacle_text(counted, info);
  for (int i = 0; counted == cudaSuccess && i < count; ++i) {
    cudaDeviceProp properties{};
    if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) break;
    info.devices.push_back({properties.name, 10 * properties.major + properties.minor, properties.totalGlobalMem,
                            uuid_text(properties.uuid)});
  }
  static_cast<void>(cudaGetLastError());
  return info;
}

}  // namespace plume::kernels

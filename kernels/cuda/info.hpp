// What a build and a machine have of CUDA, for `plume doctor` and the records of runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace plume::kernels {

struct CudaInfo {
  struct Device {
    std::string name;
    int architecture = 0;    // compute capability, 90 for 9.0
    std::size_t memory = 0;  // bytes
    std::string uuid;        // "GPU-", then as nvidia-smi -L writes it: one for each GPU in the world
  };
  std::string compiled;  // the toolkit's version, "13.0"; empty in builds without CUDA
  std::string driver;    // the newest version that the driver knows; empty without a driver
  std::vector<Device> devices;
  std::string obstacle;  // why there are no devices, "no CUDA driver was found"; empty where there are
};

// Asks the driver anew; an error from it means no devices, and is their obstacle.
[[nodiscard]] CudaInfo cuda_info();

}  // namespace plume::kernels

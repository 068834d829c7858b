// A parameter on its way between a file and a network: name, shape and values, owned.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plume::nn {

// Layouts are PyTorch's: convolution weights (out, in, kernel, kernel), transposed ones (in, out, kernel, kernel).
struct NamedTensor {
  std::string name;  // "<layer>.weight", "<layer>.bias", "<layer>.running_mean", "<layer>.running_var"
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // row-major, as many as the shape says
};

}  // namespace plume::nn

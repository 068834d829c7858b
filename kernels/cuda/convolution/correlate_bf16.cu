// The correlation for bf16.
#include "kernels/cuda/convolution/correlate_launch.cuh"

namespace plume::kernels::cuda {

template <>
void correlate(float* result, CorrelationStrides strides, const Sources<bf16>& gathered, const Sources<bf16>& lattice,
               const ConvGeometry& geometry, bool add, CudaStream& stream) {
  auto arguments = correlate_arguments(gathered, lattice, geometry);
  const int parts = correlate_with<Bf16Products>(arguments, stream, std::integer_sequence<int, 16, 32, 64, 128>());
  add_weight_parts(result, strides, arguments, parts, add, stream);
}

}  // namespace plume::kernels::cuda

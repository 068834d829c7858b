// The gather for bf16.
#include "kernels/cuda/convolution/gather_launch.cuh"

namespace plume::kernels::cuda {

template <>
void gather_conv(Image<bf16> out, const Sources<bf16>& in, const bf16* weight, WeightStrides strides,
                 const std::vector<Lattice>& lattices, const GatherEpilogue<bf16>& epilogue, CudaStream& stream) {
  const auto arguments = gather_arguments(out, in, lattices, epilogue);
  gather_with<Bf16Products>(arguments, weight, strides, stream, std::integer_sequence<int, 16, 32, 64, 128>());
}

}  // namespace plume::kernels::cuda

// The gather for f32, with as many products as the stream's math mode asks for. The split operands of a tile of 128
// channels would not fit in registers.
#include "kernels/cuda/convolution/gather_launch.cuh"

namespace plume::kernels::cuda {

template <>
void gather_conv(Image<float> out, const Sources<float>& in, const float* weight, WeightStrides strides,
                 const std::vector<Lattice>& lattices, const GatherEpilogue<float>& epilogue, CudaStream& stream) {
  const auto arguments = gather_arguments(out, in, lattices, epilogue);
  const std::integer_sequence<int, 16, 32, 64> widths;
  if (stream.state().math == MathMode::tf32) {
    gather_with<Tf32Products>(arguments, weight, strides, stream, widths);
  } else {
    gather_with<SplitTf32Products>(arguments, weight, strides, stream, widths);
  }
}

}  // namespace plume::kernels::cuda

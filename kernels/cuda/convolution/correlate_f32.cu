// The correlation for f32, with as many products as the stream's math mode asks for.
#include "kernels/cuda/convolution/correlate_launch.cuh"

namespace plume::kernels::cuda {

template <>
void correlate(float* result, CorrelationStrides strides, const Sources<float>& gathered, const Sources<float>& lattice,
               const ConvGeometry& geometry, bool add, CudaStream& stream) {
  auto arguments = correlate_arguments(gathered, lattice, geometry);
  const std::integer_sequence<int, 16, 32, 64> widths;
  const int parts = stream.state().math == MathMode::tf32
                        ? correlate_with<Tf32Products>(arguments, stream, widths)
                        : correlate_with<SplitTf32Products>(arguments, stream, widths);
  add_weight_parts(result, strides, arguments, parts, add, stream);
}

}  // namespace plume::kernels::cuda

// Describes a weight gradient to the correlation kernel.
#include "kernels/cuda/convolution/correlate_arguments.hpp"

#include "kernels/base/error.hpp"
#include "kernels/cuda/pixel_count.hpp"

namespace plume::kernels::cuda {

template <class T>
CorrelateArguments<T> correlate_arguments(const Sources<T>& gathered, const Sources<T>& lattice,
                                          const ConvGeometry& geometry) {
  CorrelateArguments<T> arguments;
  arguments.gathered = SourceViews<T>(gathered);
  arguments.lattice = SourceViews<T>(lattice);
  static_cast<void>(pixel_count(gathered.front().pixels()));
  arguments.pixels = pixel_count(lattice.front().pixels());
  if (arguments.pixels > 0) arguments.grid = {Divider(lattice.h()), Divider(lattice.w())};
  arguments.stride = geometry.stride;
  const Lattice taps = conv_lattice(geometry, lattice.h(), lattice.w(), 0);
  if (std::ssize(taps.taps) > arguments.max_taps) {
    throw input_error("a convolution of more than {} taps on CUDA", arguments.max_taps);
  }
  for (const Tap& tap : taps.taps) arguments.tap[arguments.taps++] = tap;
  return arguments;
}

template CorrelateArguments<float> correlate_arguments(const Sources<float>&, const Sources<float>&,
                                                       const ConvGeometry&);
template CorrelateArguments<bf16> correlate_arguments(const Sources<bf16>&, const Sources<bf16>&, const ConvGeometry&);

}  // namespace plume::kernels::cuda

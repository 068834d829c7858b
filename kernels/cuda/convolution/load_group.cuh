// Groups of 16 bytes of channels: stepping over them, and bringing them to shared memory.
#pragma once

#include <cstddef>

#include "device_language.hpp"
#include "kernels/cuda/convolution/source_views.hpp"
#include "kernels/cuda/pack.cuh"

namespace plume::kernels::cuda {

// A group at a tap. Groups are numbered by tap, then source, then channel.
struct GroupCursor {
  int tap = 0;
  int source = 0;
  int channel = 0;  // the group's first, in its source

  template <class T>
  __device__ void advance(const SourceViews<T>& in, int groups) {
    channel += groups * group_size<T>;
    while (channel >= in.views[source].padded) {
      channel -= in.views[source].padded;
      if (++source == in.count) {
        source = 0;
        ++tap;
      }
    }
  }
};

// Brings a group of one pixel's channels to shared memory: by the next wait and barrier, or at once where it is
// unaligned or not whole. Zeros where not valid and beyond the source's channels.
template <class T>
__device__ void load_group(T* shared, const SourceView<T>& source, int channel, int pixel, bool valid) {
  const T* from = source.data + static_cast<std::ptrdiff_t>(valid ? pixel : 0) * source.stride + channel;
  if (source.aligned && in_bounds(channel + group_size<T> <= source.channels)) {
    cp_async16(shared, from, valid);
    return;
  }
  Pack<T, group_size<T>> group;
#pragma unroll
  for (int i = 0; i < group_size<T>; ++i) {
    group.values[i] = valid && in_bounds(channel + i < source.channels) ? from[i] : T(0.0F);
  }
  *reinterpret_cast<Pack<T, group_size<T>>*>(shared) = group;
}

}  // namespace plume::kernels::cuda

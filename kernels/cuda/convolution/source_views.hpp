// Concatenated images as kernels read them: their channels in groups of 16 bytes, each source's last group padded with
// zeros, so that a group is of one source and most groups are one asynchronous copy.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/image.hpp"

namespace plume::kernels::cuda {

// Channels in a group.
template <class T>
inline constexpr int group_size = 16 / static_cast<int>(sizeof(T));

template <class T>
struct SourceView {
  const T* data = nullptr;
  int channels = 0;
  int padded = 0;  // channels, rounded up to whole groups
  std::ptrdiff_t stride = 0;
  bool aligned = false;  // to 16 bytes, at every group of every pixel
};

template <class T>
struct SourceViews {
  SourceView<T> views[Sources<T>::max_count];
  int count = 0;
  int padded = 0;  // channels of all
  int h = 0;
  int w = 0;

  SourceViews() = default;
  explicit SourceViews(const Sources<T>& sources) : h(sources.h()), w(sources.w()) {
    for (const Image<const T>& image : sources) {
      const int channels = (image.c + group_size<T> - 1) / group_size<T> * group_size<T>;
      const bool aligned = reinterpret_cast<std::uintptr_t>(image.data) % 16 == 0 && image.stride % group_size<T> == 0;
      views[count++] = {image.data, image.c, channels, image.stride, aligned};
      padded += channels;
    }
  }
};

}  // namespace plume::kernels::cuda

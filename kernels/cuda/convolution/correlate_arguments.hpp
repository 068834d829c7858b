// What the correlation kernel is told, by value: launches are recorded in graphs.
#pragma once

#include "kernels/convolution.hpp"
#include "kernels/cuda/convolution/divider.hpp"
#include "kernels/cuda/convolution/source_views.hpp"
#include "kernels/lattices.hpp"

namespace plume::kernels::cuda {

template <class T>
struct CorrelateArguments {
  static constexpr int max_taps = 49;

  SourceViews<T> gathered;
  SourceViews<T> lattice;
  PixelGrid grid;  // of the lattice
  int pixels = 0;
  int stride = 1;
  int part_pixels = 0;
  float* partials = nullptr;  // [part][rows][columns]
  int rows = 0;               // taps * gathered channels, padded to groups and then to whole tiles
  int columns = 0;            // lattice channels, padded alike
  int taps = 0;
  Tap tap[max_taps];
};

// All but the rows, columns, parts and partials. Throws input_error where it does not fit.
template <class T>
CorrelateArguments<T> correlate_arguments(const Sources<T>& gathered, const Sources<T>& lattice,
                                          const ConvGeometry& geometry);

}  // namespace plume::kernels::cuda

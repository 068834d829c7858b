// Max-pooling on the CPU, a row of windows at a time.
#include "kernels/pooling.hpp"

#include "kernels/cpu/parallel.hpp"

namespace plume::kernels {

template <class T>
void max_pool_forward(Image<T> out, std::uint8_t* index, Image<const T> in, CpuStream& stream) {
  parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / out.h);
    const int row = static_cast<int>(task % out.h);
    std::uint8_t* which = index ? index + task * out.w * out.c : nullptr;
    for (int column = 0; column < out.w; ++column) {
      const T* window[4];
      for (int k = 0; k < 4; ++k) window[k] = in.at(image, 2 * row + k / 2, 2 * column + k % 2);
      T* to = out.at(image, row, column);
      for (int c = 0; c < out.c; ++c) {
        T best = window[0][c];
        std::uint8_t best_index = 0;
        for (std::uint8_t k = 1; k < 4; ++k) {
          const T value = window[k][c];
          // Written so that a NaN replaces a number and is never replaced.
          const bool better = !(value <= best) && best == best;
          best = better ? value : best;
          best_index = better ? k : best_index;
        }
        to[c] = best;
        if (which) which[c] = best_index;
      }
      if (which) which += out.c;
    }
  });
}

template <class T>
void max_pool_backward(Image<T> grad_in, Image<const T> grad_out, const std::uint8_t* index, bool add,
                       CpuStream& stream) {
  const auto put = [add](T& to, T value) { to = add ? to + value : value; };
  parallel_tasks(stream, std::ptrdiff_t{grad_in.n} * ((grad_in.h + 1) / 2), [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / ((grad_in.h + 1) / 2));
    const int row = static_cast<int>(task % ((grad_in.h + 1) / 2));
    for (int column = 0; column < (grad_in.w + 1) / 2; ++column) {
      const bool covered = row < grad_out.h && column < grad_out.w;
      const T* from = covered ? grad_out.at(image, row, column) : nullptr;
      const std::uint8_t* which =
          covered ? index + ((std::ptrdiff_t{image} * grad_out.h + row) * grad_out.w + column) * grad_out.c : nullptr;
      for (int k = 0; k < 4; ++k) {
        const int y = 2 * row + k / 2;
        const int x = 2 * column + k % 2;
        if (y >= grad_in.h || x >= grad_in.w) continue;
        T* to = grad_in.at(image, y, x);
        for (int c = 0; c < grad_in.c; ++c) put(to[c], covered && which[c] == k ? from[c] : T{0});
      }
    }
  });
}

template void max_pool_forward(Image<float>, std::uint8_t*, Image<const float>, CpuStream&);
template void max_pool_forward(Image<double>, std::uint8_t*, Image<const double>, CpuStream&);
template void max_pool_forward(Image<std::uint8_t>, std::uint8_t*, Image<const std::uint8_t>, CpuStream&);
template void max_pool_backward(Image<float>, Image<const float>, const std::uint8_t*, bool, CpuStream&);
template void max_pool_backward(Image<double>, Image<const double>, const std::uint8_t*, bool, CpuStream&);

}  // namespace plume::kernels

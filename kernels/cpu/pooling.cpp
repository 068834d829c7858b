// Max-pooling on the CPU, a row of windows at a time.
#include "kernels/pooling.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/primitives.hpp"

namespace plume::kernels {

template <class T>
void max_pool_forward(Image<T> out, std::uint8_t* index, Image<const T> in, CpuStream& stream) {
  parallel_tasks(stream, std::ptrdiff_t{out.n} * out.h, [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / out.h);
    const int row = static_cast<int>(task % out.h);
    primitives<T>().max_pool(out.at(image, row, 0), out.stride, index ? index + task * out.w * out.c : nullptr,
                             in.at(image, 2 * row, 0), in.at(image, 2 * row + 1, 0), in.stride, out.w, out.c);
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
template void max_pool_backward(Image<float>, Image<const float>, const std::uint8_t*, bool, CpuStream&);
template void max_pool_backward(Image<double>, Image<const double>, const std::uint8_t*, bool, CpuStream&);

}  // namespace plume::kernels

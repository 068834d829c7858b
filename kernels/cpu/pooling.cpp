// Max-pooling on the CPU, a row of windows at a time.
#include "kernels/pooling.hpp"

#include <algorithm>

#include "kernels/cpu/backward_primitives.hpp"
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
  const auto& cpu = backward_primitives<T>();
  const std::ptrdiff_t window_rows = (grad_in.h + 1) / 2;
  const auto clear = [&](int image, int row, int first_column) {
    for (int column = first_column; !add && column < grad_in.w; ++column) {
      std::fill_n(grad_in.at(image, row, column), grad_in.c, T{0});
    }
  };
  parallel_tasks(stream, grad_in.n * window_rows, [&](std::ptrdiff_t task, int) {
    const int image = static_cast<int>(task / window_rows);
    const int row = static_cast<int>(task % window_rows);
    if (row == grad_out.h) return clear(image, 2 * row, 0);
    cpu.max_pool_grad(grad_in.at(image, 2 * row, 0), grad_in.at(image, 2 * row + 1, 0), grad_in.stride,
                      grad_out.at(image, row, 0), grad_out.stride,
                      index + (std::ptrdiff_t{image} * grad_out.h + row) * grad_out.w * grad_out.c, grad_out.w,
                      grad_out.c, add);
    clear(image, 2 * row, 2 * grad_out.w);
    clear(image, 2 * row + 1, 2 * grad_out.w);
  });
}

template void max_pool_forward(Image<float>, std::uint8_t*, Image<const float>, CpuStream&);
template void max_pool_forward(Image<double>, std::uint8_t*, Image<const double>, CpuStream&);
template void max_pool_backward(Image<float>, Image<const float>, const std::uint8_t*, bool, CpuStream&);
template void max_pool_backward(Image<double>, Image<const double>, const std::uint8_t*, bool, CpuStream&);

}  // namespace plume::kernels

// Transposed convolutions as products of matrices whose rows are pixels.
#include "kernels/cuda/cublaslt/convolution.hpp"

#include <algorithm>

#include "kernels/cuda/cublaslt/product_library.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels::cuda::cublaslt {
namespace {

bool is_product(const ConvGeometry& geometry) {
  return geometry.kernel == geometry.stride && geometry.pad == std::array<int, 4>{};
}

// The library, where the problem is one for it.
ProductLibrary* library_for(const ConvGeometry& geometry, CudaStream& stream) {
  return is_product(geometry) ? stream.state().libraries.products.get() : nullptr;
}

template <class T>
bool single(const Sources<T>& in) {
  return in.front().c == in.c();
}

template <class T>
int pixels_of(const Image<T>& image) {
  return static_cast<int>(image.pixels());
}

// Scratch for the rows [pixel of the input][tap][k].
template <class T>
T* take_rows(std::ptrdiff_t pixels, std::ptrdiff_t row, CudaStream& stream) {
  auto& scratch = stream.state().scratch(CudaStream::State::partials);
  return scratch.template take<T>(static_cast<std::size_t>(pixels * row));
}

template <class T>
MatrixProduct product_of(CudaStream& stream) {
  return {.type = dtype_of<T>(),
          .result = dtype_of<T>(),
          .tf32 = stream.state().math == MathMode::tf32 && std::is_same_v<T, float>};
}

}  // namespace

template <class T>
bool conv_transpose2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias,
                              ConvGeometry geometry, bool relu, CudaStream& stream) {
  ProductLibrary* library = library_for(geometry, stream);
  if (library == nullptr || !single(in)) return false;
  const Image<const T> image = in.front();
  const int taps = geometry.kernel * geometry.kernel;
  const std::ptrdiff_t row = std::ptrdiff_t{taps} * out.c;
  T* rows = take_rows<T>(image.pixels(), row, stream);

  // A product per tap, each into its columns of the rows: the weights stay as they are.
  MatrixProduct product = product_of<T>(stream);
  product.rows = pixels_of(image);
  product.columns = out.c;
  product.inner = image.c;
  product.a_stride = image.stride;
  product.b_stride = out.c;
  product.result_stride = row;
  product.batch = taps;
  product.b_batch = std::ptrdiff_t{image.c} * out.c;
  product.result_batch = out.c;
  if (!library->multiply(rows, image.data, weight, product, stream)) return false;
  shuffle_pixels(out, rows, bias, geometry.stride, relu, stream);
  return true;
}

template <class T>
bool conv_transpose2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                                    ConvGeometry geometry, bool add, CudaStream& stream) {
  ProductLibrary* library = library_for(geometry, stream);
  if (library == nullptr) return false;
  const int taps = geometry.kernel * geometry.kernel;
  const int k = grad_out.c;
  const std::ptrdiff_t row = std::ptrdiff_t{taps} * k;
  T* rows = take_rows<T>(grad_in.pixels(), row, stream);
  gather_pixels(rows, grad_out, geometry.stride, stream);

  // The sum runs over taps and output channels: [tap][k] by [input channel].
  auto& scratch = stream.state().scratch(CudaStream::State::weights);
  T* transposed = scratch.template take<T>(static_cast<std::size_t>(row * grad_in.c));
  transpose_taps(transposed, {k, grad_in.c, grad_in.c, std::ptrdiff_t{k} * grad_in.c},
                 weight + std::ptrdiff_t{slice.first} * k, {grad_in.c, k, k, std::ptrdiff_t{slice.total} * k}, taps,
                 false, stream);

  MatrixProduct product = product_of<T>(stream);
  product.rows = pixels_of(grad_in);
  product.columns = grad_in.c;
  product.inner = static_cast<int>(row);
  product.a_stride = row;
  product.b_stride = grad_in.c;
  product.result_stride = grad_in.stride;
  product.add = add;
  return library->multiply(grad_in.data, rows, transposed, product, stream);
}

template <class T>
bool conv_transpose2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out,
                                      ConvGeometry geometry, bool add, CudaStream& stream) {
  ProductLibrary* library = library_for(geometry, stream);
  if (library == nullptr || !single(in)) return false;
  const Image<const T> image = in.front();
  const int taps = geometry.kernel * geometry.kernel;
  const std::ptrdiff_t row = std::ptrdiff_t{taps} * grad_out.c;
  T* rows = take_rows<T>(image.pixels(), row, stream);
  gather_pixels(rows, grad_out, geometry.stride, stream);

  MatrixProduct product = product_of<T>(stream);
  product.rows = image.c;
  product.columns = grad_out.c;
  product.inner = pixels_of(image);
  product.transpose_a = true;
  product.a_stride = image.stride;
  product.b_stride = row;
  product.result_stride = grad_out.c;
  product.batch = taps;
  product.b_batch = grad_out.c;
  product.result_batch = std::ptrdiff_t{image.c} * grad_out.c;
  product.result = DType::f32;
  product.add = add;
  return library->multiply(grad_weight, image.data, rows, product, stream);
}

template bool conv_transpose2d_forward(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry,
                                       bool, CudaStream&);
template bool conv_transpose2d_forward(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry, bool,
                                       CudaStream&);
template bool conv_transpose2d_backward_data(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry,
                                             bool, CudaStream&);
template bool conv_transpose2d_backward_data(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice, ConvGeometry,
                                             bool, CudaStream&);
template bool conv_transpose2d_backward_weight(float*, const Sources<float>&, Image<const float>, ConvGeometry, bool,
                                               CudaStream&);
template bool conv_transpose2d_backward_weight(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry, bool,
                                               CudaStream&);

}  // namespace plume::kernels::cuda::cublaslt

// Brings plume's convolutions into the form that the library takes, and its results back.
#include "kernels/cuda/cudnn/convolution.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/cuda/cudnn/conv_library.hpp"
#include "kernels/cuda/layout.hpp"
#include "kernels/cuda/stream_state.hpp"
#include "kernels/pointwise.hpp"

namespace plume::kernels::cuda::cudnn {
namespace {

constexpr std::uintptr_t alignment = 16;

// Channels of T that fill 16 bytes.
template <class T>
constexpr int pack = static_cast<int>(alignment / sizeof(T));

bool aligned(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % alignment == 0;
}

template <class T>
bool packed(const Image<T>& image) {
  return image.stride == image.c && image.c % pack<std::remove_const_t<T>> == 0 && aligned(image.data);
}

template <class T>
int padded_channels(const Image<const T>& image) {
  return (image.c + pack<T> - 1) / pack<T> * pack<T>;
}

template <class T>
std::size_t padded_size(const Image<const T>& image) {
  return packed(image) ? 0
                       : static_cast<std::size_t>(image.pixels()) * static_cast<std::size_t>(padded_channels(image));
}

// The image as the library reads it: itself, or its copy in scratch with zeros in the channels after its last.
template <class T>
const T* padded(const Image<const T>& image, T* scratch, CudaStream& stream) {
  if (packed(image)) return image.data;
  pad_channels(scratch, padded_channels(image), image, stream);
  return scratch;
}

template <class T>
ConvProblem problem_of(ConvDirection direction, const Image<const T>& image, int k, const ConvGeometry& geometry,
                       CudaStream& stream) {
  return {.direction = direction,
          .n = image.n,
          .h = image.h,
          .w = image.w,
          .c = padded_channels(image),
          .k = k,
          .geometry = geometry,
          .type = dtype_of<T>(),
          .tf32 = stream.state().math == MathMode::tf32 && std::is_same_v<T, float>};
}

// [out][kernel][kernel][in] of the library, as one matrix [out][in] per tap.
TapMatrices library_weights(const ConvProblem& problem) {
  const int taps = problem.geometry.kernel * problem.geometry.kernel;
  return {
      .rows = problem.k, .columns = problem.c, .row_stride = std::ptrdiff_t{taps} * problem.c, .tap_stride = problem.c};
}

// [kernel][kernel][in][out] of plume, of `count` input channels among `total`.
TapMatrices plume_weights(int count, int total, int k) {
  return {.rows = count, .columns = k, .row_stride = k, .tap_stride = std::ptrdiff_t{total} * k};
}

std::size_t weight_size(const ConvProblem& problem) {
  const auto size = [](int value) { return static_cast<std::size_t>(value); };
  return size(problem.geometry.kernel) * size(problem.geometry.kernel) * size(problem.c) * size(problem.k);
}

// Channels [slice.first, slice.first + count) of the weights, in the library's layout.
template <class T>
const T* library_weights_of(const T* weight, ChannelSlice slice, int count, const ConvProblem& problem,
                            CudaStream& stream) {
  T* to = stream.state().scratch(CudaStream::State::weights).take<T>(weight_size(problem));
  const int taps = problem.geometry.kernel * problem.geometry.kernel;
  transpose_taps(to, library_weights(problem), weight + std::ptrdiff_t{slice.first} * problem.k,
                 plume_weights(count, slice.total, problem.k), taps, false, stream);
  return to;
}

template <class T>
std::size_t largest_padding(const Sources<T>& in) {
  std::size_t most = 0;
  for (const Image<const T>& image : in) most = std::max(most, padded_size(image));
  return most;
}

bool supports_all(ConvLibrary& library, const std::vector<ConvProblem>& problems, CudaStream& stream) {
  return std::all_of(problems.begin(), problems.end(),
                     [&](const ConvProblem& problem) { return library.supports(problem, stream); });
}

// One problem per source; each adds what the one before it left, and the last has the bias and the ReLU.
template <class T>
std::vector<ConvProblem> forward_problems(const Image<T>& out, const Sources<T>& in, const float* bias,
                                          const ConvGeometry& geometry, bool relu, CudaStream& stream) {
  std::vector<ConvProblem> problems;
  for (const Image<const T>& image : in) {
    problems.push_back(problem_of(ConvDirection::forward, image, out.c, geometry, stream));
    problems.back().sum = problems.size() > 1;
  }
  problems.back().relu = relu;
  if (bias != nullptr) {
    problems.back().bias = true;
    problems.back().bias_alignment = aligned(bias) ? static_cast<int>(alignment) : static_cast<int>(sizeof(float));
  }
  return problems;
}

template <class T>
std::vector<ConvProblem> weight_problems(const Sources<T>& in, int k, const ConvGeometry& geometry,
                                         CudaStream& stream) {
  std::vector<ConvProblem> problems;
  for (const Image<const T>& image : in) {
    problems.push_back(problem_of(ConvDirection::backward_weight, image, k, geometry, stream));
  }
  return problems;
}

}  // namespace

template <class T>
bool conv2d_forward(Image<T> out, const Sources<T>& in, const T* weight, const Wide<T>* bias, ConvGeometry geometry,
                    bool relu, CudaStream& stream) {
  ConvLibrary* library = stream.state().libraries.convolutions.get();
  if (library == nullptr || !packed(out)) return false;
  const auto problems = forward_problems(out, in, bias, geometry, relu, stream);
  if (!supports_all(*library, problems, stream)) return false;

  const std::size_t partial_sums = std::min<std::size_t>(problems.size() - 1, 2);  // one is read while one is written
  const auto partial_size = static_cast<std::size_t>(out.pixels() * out.c);
  auto& scratch = stream.state().scratch(CudaStream::State::partials);
  T* partials = scratch.template take<T>(partial_sums * partial_size + largest_padding(in));
  T* padding = partials + partial_sums * partial_size;

  std::size_t i = 0;
  int first = 0;
  const T* sum = nullptr;
  for (const Image<const T>& image : in) {
    const ConvProblem& problem = problems[i];
    T* result = i + 1 == problems.size() ? out.data : partials + i % 2 * partial_size;
    library->run(problem,
                 {.image = padded(image, padding, stream),
                  .weight = library_weights_of(weight, {first, in.c()}, image.c, problem, stream),
                  .sum = sum,
                  .bias = problem.bias ? bias : nullptr,
                  .result = result},
                 stream);
    sum = result;
    first += image.c;
    ++i;
  }
  return true;
}

template <class T>
bool conv2d_backward_data(Image<T> grad_in, Image<const T> grad_out, const T* weight, ChannelSlice slice,
                          ConvGeometry geometry, bool add, CudaStream& stream) {
  ConvLibrary* library = stream.state().libraries.convolutions.get();
  if (library == nullptr || !packed(grad_out) || grad_in.c % pack<T> != 0) return false;
  const auto problem = problem_of(ConvDirection::backward_data, Image<const T>(grad_in), grad_out.c, geometry, stream);
  if (!library->supports(problem, stream)) return false;

  // Sums are rare, and not every engine can add to what is there.
  const bool direct = packed(grad_in) && !add;
  auto& scratch = stream.state().scratch(CudaStream::State::partials);
  T* result = direct ? grad_in.data : scratch.template take<T>(static_cast<std::size_t>(grad_in.pixels() * grad_in.c));
  library->run(problem,
               {.weight = library_weights_of(weight, slice, grad_in.c, problem, stream),
                .output = grad_out.data,
                .result = result},
               stream);
  if (!direct) {
    const Image<const T> computed(result, grad_in.n, grad_in.h, grad_in.w, grad_in.c);
    copy(grad_in, computed, add, stream);
  }
  return true;
}

template <class T>
bool conv2d_backward_weight(Wide<T>* grad_weight, const Sources<T>& in, Image<const T> grad_out, ConvGeometry geometry,
                            bool add, CudaStream& stream) {
  ConvLibrary* library = stream.state().libraries.convolutions.get();
  if (library == nullptr || !packed(grad_out)) return false;
  const auto problems = weight_problems(in, grad_out.c, geometry, stream);
  if (!supports_all(*library, problems, stream)) return false;

  std::size_t largest = 0;
  for (const ConvProblem& problem : problems) largest = std::max(largest, weight_size(problem));
  auto& scratch = stream.state().scratch(CudaStream::State::partials);
  T* result = scratch.template take<T>(largest + largest_padding(in));
  T* padding = result + largest;

  auto problem = problems.begin();
  int first = 0;
  for (const Image<const T>& image : in) {
    library->run(*problem, {.image = padded(image, padding, stream), .output = grad_out.data, .result = result},
                 stream);
    const int taps = geometry.kernel * geometry.kernel;
    transpose_taps(grad_weight + std::ptrdiff_t{first} * grad_out.c, plume_weights(image.c, in.c(), grad_out.c), result,
                   library_weights(*problem), taps, add, stream);
    first += image.c;
    ++problem;
  }
  return true;
}

template bool conv2d_forward(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry, bool,
                             CudaStream&);
template bool conv2d_forward(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry, bool,
                             CudaStream&);
template bool conv2d_backward_data(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry, bool,
                                   CudaStream&);
template bool conv2d_backward_data(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice, ConvGeometry, bool,
                                   CudaStream&);
template bool conv2d_backward_weight(float*, const Sources<float>&, Image<const float>, ConvGeometry, bool,
                                     CudaStream&);
template bool conv2d_backward_weight(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry, bool, CudaStream&);

}  // namespace plume::kernels::cuda::cudnn

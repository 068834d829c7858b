// Elementwise operations on CUDA, bodies from functors.hpp.
#include "kernels/cuda/map.cuh"
#include "kernels/functors.hpp"
#include "kernels/pointwise.hpp"

namespace plume::kernels {
namespace cuda {
namespace {

struct CopyBody {
  PLUME_HD float operator()(float x) const { return x; }
};

struct SumBody {
  PLUME_HD float operator()(float x, float y) const { return x + y; }
};

}  // namespace
}  // namespace cuda

template <class T>
void copy(Image<T> out, Image<const T> in, bool add, CudaStream& stream) {
  cuda::map<cuda::CopyBody>(out, add, in, in, stream);
}

template <class T>
void add(Image<T> out, Image<const T> a, Image<const T> b, CudaStream& stream) {
  cuda::map<cuda::SumBody>(out, false, a, b, stream);
}

template <class T>
void relu_forward(Image<T> out, Image<const T> in, CudaStream& stream) {
  cuda::map<ReluBody>(out, false, in, in, stream);
}

template <class T>
void sigmoid_forward(Image<T> out, Image<const T> in, CudaStream& stream) {
  cuda::map<SigmoidBody>(out, false, in, in, stream);
}

template void copy(Image<float>, Image<const float>, bool, CudaStream&);
template void copy(Image<bf16>, Image<const bf16>, bool, CudaStream&);
template void add(Image<float>, Image<const float>, Image<const float>, CudaStream&);
template void add(Image<bf16>, Image<const bf16>, Image<const bf16>, CudaStream&);
template void relu_forward(Image<float>, Image<const float>, CudaStream&);
template void relu_forward(Image<bf16>, Image<const bf16>, CudaStream&);
template void sigmoid_forward(Image<float>, Image<const float>, CudaStream&);
template void sigmoid_forward(Image<bf16>, Image<const bf16>, CudaStream&);

}  // namespace plume::kernels

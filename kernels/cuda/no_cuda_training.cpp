// Stands in for the CUDA backend's losses and optimisers where it is not built (no_cuda.cpp).
#include <cstdlib>

#include "kernels/loss.hpp"
#include "kernels/optimizer.hpp"

namespace plume::kernels {
namespace {

[[noreturn]] void absent() {
  std::abort();
}

}  // namespace

template <class T>
void bce_with_logits(const LossOutput<T>&, Image<const T>, PixelTargets<T>, double, CudaStream&) {
  absent();
}

template <class T>
void softmax_cross_entropy(const LossOutput<T>&, Image<const T>, PixelTargets<T>, double, CudaStream&) {
  absent();
}

template <class T>
void focal(const LossOutput<T>&, Image<const T>, PixelTargets<T>, double, CudaStream&) {
  absent();
}

template <class T>
void ordinal(const LossOutput<T>&, Image<const T>, PixelTargets<T>, CudaStream&) {
  absent();
}

template <class T>
void tversky(const LossOutput<T>&, Image<const T>, PixelTargets<T>, const TverskySettings&, CudaStream&) {
  absent();
}

template <class T>
void lovasz(const LossOutput<T>&, Image<const T>, PixelTargets<T>, CudaStream&) {
  absent();
}

template <class T>
void squared_norm(double*, const T*, std::ptrdiff_t, CudaStream&) {
  absent();
}

template <class T>
void moving_average(T*, const T*, std::ptrdiff_t, const T*, const double*, CudaStream&) {
  absent();
}

template <class T>
void adamw_step(const UpdateBuffers<T>&, const UpdateConstants<T, AdamwBody<T>>*, const double*, CudaStream&) {
  absent();
}

template <class T>
void sgd_step(const UpdateBuffers<T>&, const UpdateConstants<T, SgdBody<T>>*, const double*, CudaStream&) {
  absent();
}

template <class T>
void lamb_direction(T*, const UpdateBuffers<T>&, const UpdateConstants<T, LambBody<T>>*, const double*, CudaStream&) {
  absent();
}

template <class T>
void adapt_to_layer(T*, const T*, std::ptrdiff_t, const UpdateConstants<T, TrustBody<T>>*, const double*, const double*,
                    CudaStream&) {
  absent();
}

template void bce_with_logits<float>(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double,
                                     CudaStream&);
template void bce_with_logits<bf16>(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, double,
                                    CudaStream&);
template void softmax_cross_entropy<float>(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double,
                                           CudaStream&);
template void softmax_cross_entropy<bf16>(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, double,
                                          CudaStream&);
template void focal<float>(const LossOutput<float>&, Image<const float>, PixelTargets<float>, double, CudaStream&);
template void focal<bf16>(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, double, CudaStream&);
template void ordinal<float>(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CudaStream&);
template void ordinal<bf16>(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, CudaStream&);
template void tversky<float>(const LossOutput<float>&, Image<const float>, PixelTargets<float>, const TverskySettings&,
                             CudaStream&);
template void tversky<bf16>(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, const TverskySettings&,
                            CudaStream&);
template void lovasz<float>(const LossOutput<float>&, Image<const float>, PixelTargets<float>, CudaStream&);
template void lovasz<bf16>(const LossOutput<bf16>&, Image<const bf16>, PixelTargets<bf16>, CudaStream&);
template void squared_norm<float>(double*, const float*, std::ptrdiff_t, CudaStream&);
template void moving_average<float>(float*, const float*, std::ptrdiff_t, const float*, const double*, CudaStream&);
template void adamw_step<float>(const UpdateBuffers<float>&, const UpdateConstants<float, AdamwBody<float>>*,
                                const double*, CudaStream&);
template void sgd_step<float>(const UpdateBuffers<float>&, const UpdateConstants<float, SgdBody<float>>*, const double*,
                              CudaStream&);
template void lamb_direction<float>(float*, const UpdateBuffers<float>&, const UpdateConstants<float, LambBody<float>>*,
                                    const double*, CudaStream&);
template void adapt_to_layer<float>(float*, const float*, std::ptrdiff_t,
                                    const UpdateConstants<float, TrustBody<float>>*, const double*, const double*,
                                    CudaStream&);

}  // namespace plume::kernels

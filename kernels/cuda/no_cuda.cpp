// Stands in for the CUDA backend where it is not built: no stream can be made, so nothing else here is ever called.
#include <cstdlib>

#include "kernels/augment.hpp"
#include "kernels/base/error.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/convolution.hpp"
#include "kernels/input.hpp"
#include "kernels/memory.hpp"
#include "kernels/output.hpp"
#include "kernels/pointwise.hpp"
#include "kernels/pooling.hpp"
#include "kernels/upsample.hpp"
#include "kernels/vendor_libraries.hpp"

namespace plume::kernels {
namespace {

[[noreturn]] void absent() {
  std::abort();
}

}  // namespace

struct CudaStream::State {};

CudaStream::CudaStream(int, MathMode, StreamPriority) {
  throw environment_error("this plume was built without CUDA; configure it with -DPLUME_CUDA=ON, or use the CPU");
}
CudaStream::CudaStream(CudaStream&&) noexcept = default;
CudaStream& CudaStream::operator=(CudaStream&&) noexcept = default;
CudaStream::~CudaStream() = default;
void CudaStream::synchronize() {
  absent();
}

bool CudaStream::idle() {
  absent();
}
int CudaStream::device() const noexcept {
  absent();
}

int cuda_device_count() noexcept {
  return 0;
}

Memory allocate(std::size_t, CudaStream&) {
  absent();
}
Memory allocate_pinned(std::size_t, CudaStream&) {
  absent();
}
void upload(void*, const void*, std::size_t, CudaStream&) {
  absent();
}
void download(void*, const void*, std::size_t, CudaStream&) {
  absent();
}
void copy_bytes(void*, const void*, std::size_t, CudaStream&) {
  absent();
}
void fill_zero(void*, std::size_t, CudaStream&) {
  absent();
}
void use_vendor_libraries(CudaStream&) {
  absent();
}

template <class T>
void conv2d_forward(Image<T>, const Sources<T>&, const T*, const Wide<T>*, ConvGeometry, bool, CudaStream&) {
  absent();
}

template <class T>
void conv_transpose2d_forward(Image<T>, const Sources<T>&, const T*, const Wide<T>*, ConvGeometry, bool, CudaStream&) {
  absent();
}

template <class T>
void conv2d_backward_data(Image<T>, Image<const T>, const T*, ChannelSlice, ConvGeometry, bool, CudaStream&) {
  absent();
}

template <class T>
void conv_transpose2d_backward_data(Image<T>, Image<const T>, const T*, ChannelSlice, ConvGeometry, bool, CudaStream&) {
  absent();
}

template <class T>
void conv2d_backward_weight(Wide<T>*, const Sources<T>&, Image<const T>, ConvGeometry, bool, CudaStream&) {
  absent();
}

template <class T>
void conv_transpose2d_backward_weight(Wide<T>*, const Sources<T>&, Image<const T>, ConvGeometry, bool, CudaStream&) {
  absent();
}

template <class T>
void bias_backward(Wide<T>*, Image<const T>, bool, CudaStream&) {
  absent();
}

template <class T>
void batch_statistics(Wide<T>*, Wide<T>*, Wide<T>*, Wide<T>*, Image<const T>, const NormSettings&, CudaStream&) {
  absent();
}

template <class T>
void running_statistics(T*, T*, const T*, const T*, int, const NormSettings&, CudaStream&) {
  absent();
}

template <class T>
void normalize(Image<T>, Image<const T>, const Wide<T>*, const Wide<T>*, const Wide<T>*, const Wide<T>*, bool,
               CudaStream&) {
  absent();
}

template <class T>
void normalize_pool(Image<T>, Image<T>, std::uint8_t*, Image<const T>, const Wide<T>*, const Wide<T>*, const Wide<T>*,
                    const Wide<T>*, bool, CudaStream&) {
  absent();
}

template <class T>
void normalize_backward(Image<T>, Wide<T>*, Wide<T>*, Image<const T>, const NormSaved<T>&, bool, bool, CudaStream&) {
  absent();
}

template <class T>
void max_pool_forward(Image<T>, std::uint8_t*, Image<const T>, CudaStream&) {
  absent();
}

template <class T>
void max_pool_backward(Image<T>, Image<const T>, const std::uint8_t*, bool, CudaStream&) {
  absent();
}

template <class T>
void upsample_forward(Image<T>, Image<const T>, Interpolation, CudaStream&) {
  absent();
}

template <class T>
void upsample_backward(Image<T>, Image<const T>, Interpolation, bool, CudaStream&) {
  absent();
}

template <class T>
void copy(Image<T>, Image<const T>, bool, CudaStream&) {
  absent();
}

template <class T>
void add(Image<T>, Image<const T>, Image<const T>, CudaStream&) {
  absent();
}

template <class T>
void relu_forward(Image<T>, Image<const T>, CudaStream&) {
  absent();
}

template <class T>
void relu_backward(Image<T>, Image<const T>, Image<const T>, bool, CudaStream&) {
  absent();
}

template <class T>
void sigmoid_forward(Image<T>, Image<const T>, CudaStream&) {
  absent();
}

template <class T>
void sigmoid_backward(Image<T>, Image<const T>, Image<const T>, bool, CudaStream&) {
  absent();
}

template <class T>
void softmax_forward(Image<T>, Image<const T>, CudaStream&) {
  absent();
}

template <class T>
void softmax_backward(Image<T>, Image<const T>, Image<const T>, bool, CudaStream&) {
  absent();
}

template <class T, class Raw>
void prepare_images(Image<T>, Image<const Raw>, const Placement*, const BandScaling&, CudaStream&) {
  absent();
}

void prepare_labels(Image<std::uint8_t>, Image<const std::uint8_t>, const Placement*, CudaStream&) {
  absent();
}

void subsample_labels(Image<std::uint8_t>, Image<const std::uint8_t>, CudaStream&) {
  absent();
}

template <class T, class Raw>
void augment_images(Image<T>, Image<const Raw>, const BatchAugmentation&, const BandScaling&, CudaStream&) {
  absent();
}

void augment_labels(Image<std::uint8_t>, Image<const std::uint8_t>, const BatchAugmentation&, CudaStream&) {
  absent();
}

template <class T>
void decide(Image<float>, std::uint8_t*, Image<const T>, Link, float, CudaStream&) {
  absent();
}

template void conv2d_forward<float>(Image<float>, const Sources<float>&, const float*, const float*, ConvGeometry, bool,
                                    CudaStream&);
template void conv2d_forward<bf16>(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry, bool,
                                   CudaStream&);
template void conv_transpose2d_forward<float>(Image<float>, const Sources<float>&, const float*, const float*,
                                              ConvGeometry, bool, CudaStream&);
template void conv_transpose2d_forward<bf16>(Image<bf16>, const Sources<bf16>&, const bf16*, const float*, ConvGeometry,
                                             bool, CudaStream&);
template void conv2d_backward_data<float>(Image<float>, Image<const float>, const float*, ChannelSlice, ConvGeometry,
                                          bool, CudaStream&);
template void conv2d_backward_data<bf16>(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice, ConvGeometry, bool,
                                         CudaStream&);
template void conv_transpose2d_backward_data<float>(Image<float>, Image<const float>, const float*, ChannelSlice,
                                                    ConvGeometry, bool, CudaStream&);
template void conv_transpose2d_backward_data<bf16>(Image<bf16>, Image<const bf16>, const bf16*, ChannelSlice,
                                                   ConvGeometry, bool, CudaStream&);
template void conv2d_backward_weight<float>(float*, const Sources<float>&, Image<const float>, ConvGeometry, bool,
                                            CudaStream&);
template void conv2d_backward_weight<bf16>(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry, bool,
                                           CudaStream&);
template void conv_transpose2d_backward_weight<float>(float*, const Sources<float>&, Image<const float>, ConvGeometry,
                                                      bool, CudaStream&);
template void conv_transpose2d_backward_weight<bf16>(float*, const Sources<bf16>&, Image<const bf16>, ConvGeometry,
                                                     bool, CudaStream&);
template void bias_backward<float>(float*, Image<const float>, bool, CudaStream&);
template void bias_backward<bf16>(float*, Image<const bf16>, bool, CudaStream&);
template void batch_statistics<float>(float*, float*, float*, float*, Image<const float>, const NormSettings&,
                                      CudaStream&);
template void batch_statistics<bf16>(float*, float*, float*, float*, Image<const bf16>, const NormSettings&,
                                     CudaStream&);
template void running_statistics<float>(float*, float*, const float*, const float*, int, const NormSettings&,
                                        CudaStream&);
template void normalize<float>(Image<float>, Image<const float>, const float*, const float*, const float*, const float*,
                               bool, CudaStream&);
template void normalize<bf16>(Image<bf16>, Image<const bf16>, const float*, const float*, const float*, const float*,
                              bool, CudaStream&);
template void normalize_pool<float>(Image<float>, Image<float>, std::uint8_t*, Image<const float>, const float*,
                                    const float*, const float*, const float*, bool, CudaStream&);
template void normalize_pool<bf16>(Image<bf16>, Image<bf16>, std::uint8_t*, Image<const bf16>, const float*,
                                   const float*, const float*, const float*, bool, CudaStream&);
template void normalize_backward<float>(Image<float>, float*, float*, Image<const float>, const NormSaved<float>&, bool,
                                        bool, CudaStream&);
template void normalize_backward<bf16>(Image<bf16>, float*, float*, Image<const bf16>, const NormSaved<bf16>&, bool,
                                       bool, CudaStream&);
template void max_pool_forward<float>(Image<float>, std::uint8_t*, Image<const float>, CudaStream&);
template void max_pool_forward<bf16>(Image<bf16>, std::uint8_t*, Image<const bf16>, CudaStream&);
template void max_pool_backward<float>(Image<float>, Image<const float>, const std::uint8_t*, bool, CudaStream&);
template void max_pool_backward<bf16>(Image<bf16>, Image<const bf16>, const std::uint8_t*, bool, CudaStream&);
template void upsample_forward<float>(Image<float>, Image<const float>, Interpolation, CudaStream&);
template void upsample_forward<bf16>(Image<bf16>, Image<const bf16>, Interpolation, CudaStream&);
template void upsample_backward<float>(Image<float>, Image<const float>, Interpolation, bool, CudaStream&);
template void upsample_backward<bf16>(Image<bf16>, Image<const bf16>, Interpolation, bool, CudaStream&);
template void copy<float>(Image<float>, Image<const float>, bool, CudaStream&);
template void copy<bf16>(Image<bf16>, Image<const bf16>, bool, CudaStream&);
template void add<float>(Image<float>, Image<const float>, Image<const float>, CudaStream&);
template void add<bf16>(Image<bf16>, Image<const bf16>, Image<const bf16>, CudaStream&);
template void relu_forward<float>(Image<float>, Image<const float>, CudaStream&);
template void relu_forward<bf16>(Image<bf16>, Image<const bf16>, CudaStream&);
template void relu_backward<float>(Image<float>, Image<const float>, Image<const float>, bool, CudaStream&);
template void relu_backward<bf16>(Image<bf16>, Image<const bf16>, Image<const bf16>, bool, CudaStream&);
template void sigmoid_forward<float>(Image<float>, Image<const float>, CudaStream&);
template void sigmoid_forward<bf16>(Image<bf16>, Image<const bf16>, CudaStream&);
template void sigmoid_backward<float>(Image<float>, Image<const float>, Image<const float>, bool, CudaStream&);
template void sigmoid_backward<bf16>(Image<bf16>, Image<const bf16>, Image<const bf16>, bool, CudaStream&);
template void softmax_forward<float>(Image<float>, Image<const float>, CudaStream&);
template void softmax_forward<bf16>(Image<bf16>, Image<const bf16>, CudaStream&);
template void softmax_backward<float>(Image<float>, Image<const float>, Image<const float>, bool, CudaStream&);
template void softmax_backward<bf16>(Image<bf16>, Image<const bf16>, Image<const bf16>, bool, CudaStream&);
template void prepare_images<float, std::uint8_t>(Image<float>, Image<const std::uint8_t>, const Placement*,
                                                  const BandScaling&, CudaStream&);
template void prepare_images<float, std::uint16_t>(Image<float>, Image<const std::uint16_t>, const Placement*,
                                                   const BandScaling&, CudaStream&);
template void prepare_images<float, float>(Image<float>, Image<const float>, const Placement*, const BandScaling&,
                                           CudaStream&);
template void prepare_images<bf16, std::uint8_t>(Image<bf16>, Image<const std::uint8_t>, const Placement*,
                                                 const BandScaling&, CudaStream&);
template void prepare_images<bf16, std::uint16_t>(Image<bf16>, Image<const std::uint16_t>, const Placement*,
                                                  const BandScaling&, CudaStream&);
template void prepare_images<bf16, float>(Image<bf16>, Image<const float>, const Placement*, const BandScaling&,
                                          CudaStream&);
template void augment_images<float, std::uint8_t>(Image<float>, Image<const std::uint8_t>, const BatchAugmentation&,
                                                  const BandScaling&, CudaStream&);
template void augment_images<float, std::uint16_t>(Image<float>, Image<const std::uint16_t>, const BatchAugmentation&,
                                                   const BandScaling&, CudaStream&);
template void augment_images<float, float>(Image<float>, Image<const float>, const BatchAugmentation&,
                                           const BandScaling&, CudaStream&);
template void augment_images<bf16, std::uint8_t>(Image<bf16>, Image<const std::uint8_t>, const BatchAugmentation&,
                                                 const BandScaling&, CudaStream&);
template void augment_images<bf16, std::uint16_t>(Image<bf16>, Image<const std::uint16_t>, const BatchAugmentation&,
                                                  const BandScaling&, CudaStream&);
template void augment_images<bf16, float>(Image<bf16>, Image<const float>, const BatchAugmentation&, const BandScaling&,
                                          CudaStream&);
template void decide<float>(Image<float>, std::uint8_t*, Image<const float>, Link, float, CudaStream&);
template void decide<bf16>(Image<float>, std::uint8_t*, Image<const bf16>, Link, float, CudaStream&);

}  // namespace plume::kernels

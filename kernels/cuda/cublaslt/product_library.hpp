// What a library of matrix products is asked for: cuBLASLt, or in tests a stand-in.
#pragma once

#include <cstddef>

#include "kernels/base/dtype.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels::cuda {

// result[i] (+)= op(a[i]) b[i] for each of `batch` products, summed in f32: op(a) is rows x inner, b is inner x columns.
// All are row-major: `a` may be stored transposed, as inner x rows. Strides are in elements; a batch stride of 0 repeats.
struct MatrixProduct {
  int rows = 0, columns = 0, inner = 0;
  bool transpose_a = false;
  std::ptrdiff_t a_stride = 0, b_stride = 0, result_stride = 0;  // from one row to the next
  int batch = 1;
  std::ptrdiff_t a_batch = 0, b_batch = 0, result_batch = 0;
  DType type = DType::f32;    // of a and b
  DType result = DType::f32;  // f32, or the type of a and b
  bool tf32 = false;          // f32 may be multiplied as TF32
  bool add = false;

  bool operator==(const MatrixProduct&) const = default;
};

class ProductLibrary {
 public:
  ProductLibrary() = default;
  ProductLibrary(const ProductLibrary&) = delete;
  ProductLibrary& operator=(const ProductLibrary&) = delete;
  virtual ~ProductLibrary() = default;

  // Queues the product; false, with nothing queued, where the library cannot do it.
  [[nodiscard]] virtual bool multiply(void* result, const void* a, const void* b, const MatrixProduct& product,
                                      CudaStream& stream) = 0;
};

}  // namespace plume::kernels::cuda

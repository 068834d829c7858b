// Runs matrix products by cuBLASLt: its heuristics' first choice for every product, kept in memory.
// cuBLASLt gives the same bits for the same product on the same kind of device, so nothing is filtered or measured.
#include "kernels/cuda/cublaslt/cublaslt.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <list>
#include <optional>

#include "kernels/base/error.hpp"
#include "kernels/cuda/cublaslt/api.hpp"
#include "kernels/cuda/note.hpp"
#include "kernels/cuda/stream_state.hpp"

namespace plume::kernels::cuda::cublaslt {
namespace {

constexpr std::size_t workspace_limit = std::size_t{32} << 20U;  // NVIDIA's advice for compute capability 9

// Owns a handle of the library's.
template <class Handle, cublasStatus_t (*Api::*destroy)(Handle)>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (handle_ != nullptr) static_cast<void>((api().*destroy)(handle_));
  }
  operator Handle() const noexcept { return handle_; }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] Handle* address() noexcept { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

using Library = Owned<cublasLtHandle_t, &Api::destroy>;
using Description = Owned<cublasLtMatmulDesc_t, &Api::destroy_product>;
using Layout = Owned<cublasLtMatrixLayout_t, &Api::destroy_layout>;
using Preference = Owned<cublasLtMatmulPreference_t, &Api::destroy_preference>;

cudaDataType_t data_type(DType type) {
  return type == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

// The library's matrices are column-major, so that a row-major one is its transpose there.
void make_layout(Layout& layout, DType type, int rows, int columns, std::ptrdiff_t stride, int batch,
                 std::ptrdiff_t batch_stride) {
  check(api().create_layout(layout.address(), data_type(type), static_cast<std::uint64_t>(columns),
                            static_cast<std::uint64_t>(rows), stride));
  const std::int32_t count = batch;
  const std::int64_t offset = batch_stride;
  check(api().set_layout(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count));
  check(api().set_layout(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &offset, sizeof offset));
}

// The alignment of every matrix of a batch, in bytes: a power of two, at most 16, as far as kernels profit.
std::uint32_t alignment_of(const void* data, std::ptrdiff_t batch_stride, DType type) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  const auto step = static_cast<std::uintptr_t>(batch_stride) * size_of(type);
  std::uint32_t alignment = 16;
  while ((address | step) % alignment != 0) alignment /= 2;
  return alignment;
}

struct Alignments {
  std::uint32_t a, b, result;
  bool operator==(const Alignments&) const = default;
};

// result^T = b^T op(a)^T, which is the same in the library's eyes as result = op(a) b in ours; its A is our b.
class Prepared {
 public:
  Prepared(const MatrixProduct& product, const Alignments& alignments, cublasLtHandle_t library)
      : product_(product), alignments_(alignments) {
    const auto compute = product.tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    check(api().create_product(description_.address(), compute, CUDA_R_32F));
    const cublasOperation_t operation = product.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    check(api().set_product(description_, CUBLASLT_MATMUL_DESC_TRANSB, &operation, sizeof operation));

    const int a_rows = product.transpose_a ? product.inner : product.rows;
    const int a_columns = product.transpose_a ? product.rows : product.inner;
    make_layout(a_, product.type, a_rows, a_columns, product.a_stride, product.batch, product.a_batch);
    make_layout(b_, product.type, product.inner, product.columns, product.b_stride, product.batch, product.b_batch);
    make_layout(result_, product.result, product.rows, product.columns, product.result_stride, product.batch,
                product.result_batch);
    choose(library);
  }

  [[nodiscard]] bool is_for(const MatrixProduct& product, const Alignments& alignments) const {
    return product == product_ && alignments == alignments_;
  }
  [[nodiscard]] bool possible() const noexcept { return algorithm_.has_value(); }

  void run(void* result, const void* a, const void* b, cublasLtHandle_t library, CudaStream& stream) const {
    const float alpha = 1;
    const float beta = product_.add ? 1 : 0;
    void* workspace = nullptr;
    if (workspace_ > 0) workspace = stream.state().scratch(CudaStream::State::workspace).take<std::byte>(workspace_);
    check(api().multiply(library, description_, &alpha, b, b_, a, a_, &beta, result, result_, result, result_,
                         &*algorithm_, workspace, workspace_, stream.state().stream));
  }

 private:
  void choose(cublasLtHandle_t library) {
    Preference preference;
    check(api().create_preference(preference.address()));
    const auto set = [&](cublasLtMatmulPreferenceAttributes_t name, const auto& value) {
      check(api().set_preference(preference, name, &value, sizeof value));
    };
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_limit);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignments_.b);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignments_.a);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignments_.result);
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignments_.result);
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const cublasStatus_t status =
        api().heuristic(library, description_, b_, a_, result_, result_, preference, 1, &found, &count);
    if (status != CUBLAS_STATUS_SUCCESS || count == 0) {
      note(fmt::format("cuBLASLt has no algorithm for {} products of {}x{} by {}x{}; plume's own kernel takes them",
                       product_.batch, product_.rows, product_.inner, product_.inner, product_.columns));
      return;
    }
    algorithm_ = found.algo;
    workspace_ = found.workspaceSize;
  }

  MatrixProduct product_;
  Alignments alignments_;
  Description description_;
  Layout a_;
  Layout b_;
  Layout result_;
  std::optional<cublasLtMatmulAlgo_t> algorithm_;
  std::size_t workspace_ = 0;
};

class Cublaslt final : public ProductLibrary {
 public:
  Cublaslt() { check(api().create(library_.address())); }

  [[nodiscard]] bool multiply(void* result, const void* a, const void* b, const MatrixProduct& product,
                              CudaStream& stream) override {
    const Alignments alignments{alignment_of(a, product.a_batch, product.type),
                                alignment_of(b, product.b_batch, product.type),
                                alignment_of(result, product.result_batch, product.result)};
    const Prepared& prepared = find(product, alignments);
    if (!prepared.possible()) return false;
    prepared.run(result, a, b, library_, stream);
    return true;
  }

 private:
  // A network has a dozen products: a list is searched as fast as a table.
  const Prepared& find(const MatrixProduct& product, const Alignments& alignments) {
    const auto found = std::find_if(prepared_.begin(), prepared_.end(),
                                    [&](const Prepared& prepared) { return prepared.is_for(product, alignments); });
    return found != prepared_.end() ? *found : prepared_.emplace_back(product, alignments, library_);
  }

  Library library_;
  std::list<Prepared> prepared_;
};

}  // namespace

std::unique_ptr<ProductLibrary> open(CudaStream&) {
  if (!available()) return nullptr;
  return std::make_unique<Cublaslt>();
}

}  // namespace plume::kernels::cuda::cublaslt

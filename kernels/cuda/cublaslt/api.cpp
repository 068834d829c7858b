// Opens libcublasLt of the CUDA version that plume was built with.
#include "kernels/cuda/cublaslt/api.hpp"

#include <cassert>
#include <optional>

#include "kernels/base/dynamic_library.hpp"

namespace plume::kernels::cuda::cublaslt {
namespace {

std::optional<Api> load() {
  const auto name = fmt::format("libcublasLt.so.{}", CUBLAS_VER_MAJOR);
  // First as the loader finds it, then where it was when plume was configured.
  const auto library = DynamicLibrary::open({name, PLUME_CUBLASLT_FOLDER "/" + name});
  if (!library) return std::nullopt;
  Api api{};
  library->find(api.status_string, "cublasLtGetStatusString");
  library->find(api.create, "cublasLtCreate");
  library->find(api.destroy, "cublasLtDestroy");
  library->find(api.create_product, "cublasLtMatmulDescCreate");
  library->find(api.destroy_product, "cublasLtMatmulDescDestroy");
  library->find(api.set_product, "cublasLtMatmulDescSetAttribute");
  library->find(api.create_layout, "cublasLtMatrixLayoutCreate");
  library->find(api.destroy_layout, "cublasLtMatrixLayoutDestroy");
  library->find(api.set_layout, "cublasLtMatrixLayoutSetAttribute");
  library->find(api.create_preference, "cublasLtMatmulPreferenceCreate");
  library->find(api.destroy_preference, "cublasLtMatmulPreferenceDestroy");
  library->find(api.set_preference, "cublasLtMatmulPreferenceSetAttribute");
  library->find(api.heuristic, "cublasLtMatmulAlgoGetHeuristic");
  library->find(api.multiply, "cublasLtMatmul");
  return api;
}

const std::optional<Api>& loaded() {
  static const std::optional<Api> instance = load();
  return instance;
}

}  // namespace

bool available() {
  return loaded().has_value();
}

const Api& api() {
  assert(available());
  return *loaded();
}

void check(cublasStatus_t status, std::source_location where) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw environment_error("cuBLASLt: {}, in {}", api().status_string(status), where.function_name());
}

}  // namespace plume::kernels::cuda::cublaslt

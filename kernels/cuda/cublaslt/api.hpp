// cuBLASLt's functions, found in the library at run time; its header serves for types alone.
#pragma once

#include <cublasLt.h>

#include <source_location>

namespace plume::kernels::cuda::cublaslt {

struct Api {
  decltype(cublasLtGetStatusString)* status_string;
  decltype(cublasLtCreate)* create;
  decltype(cublasLtDestroy)* destroy;
  decltype(cublasLtMatmulDescCreate)* create_product;
  decltype(cublasLtMatmulDescDestroy)* destroy_product;
  decltype(cublasLtMatmulDescSetAttribute)* set_product;
  decltype(cublasLtMatrixLayoutCreate)* create_layout;
  decltype(cublasLtMatrixLayoutDestroy)* destroy_layout;
  decltype(cublasLtMatrixLayoutSetAttribute)* set_layout;
  decltype(cublasLtMatmulPreferenceCreate)* create_preference;
  decltype(cublasLtMatmulPreferenceDestroy)* destroy_preference;
  decltype(cublasLtMatmulPreferenceSetAttribute)* set_preference;
  decltype(cublasLtMatmulAlgoGetHeuristic)* heuristic;
  decltype(cublasLtMatmul)* multiply;
};

// Whether the library is on this machine. Throws environment_error where it is but lacks a function.
[[nodiscard]] bool available();
// To be called only where available().
[[nodiscard]] const Api& api();

// Throws environment_error naming the status and the place of the call.
void check(cublasStatus_t status, std::source_location where = std::source_location::current());

}  // namespace plume::kernels::cuda::cublaslt

// cuDNN 9's functions, found in the library at run time; its headers serve for types alone.
#pragma once

#include <cudnn_graph.h>

#include <source_location>

namespace plume::kernels::cuda::cudnn {

struct Api {
  decltype(cudnnGetVersion)* get_version;
  decltype(cudnnGetErrorString)* error_string;
  decltype(cudnnGetLastErrorString)* last_error_string;
  decltype(cudnnCreate)* create;
  decltype(cudnnDestroy)* destroy;
  decltype(cudnnSetStream)* set_stream;
  decltype(cudnnBackendCreateDescriptor)* create_descriptor;
  decltype(cudnnBackendDestroyDescriptor)* destroy_descriptor;
  decltype(cudnnBackendSetAttribute)* set_attribute;
  decltype(cudnnBackendGetAttribute)* get_attribute;
  decltype(cudnnBackendFinalize)* finalize;
  decltype(cudnnBackendExecute)* execute;
};

// Whether the library is on this machine. Throws environment_error where it is but lacks a function.
[[nodiscard]] bool available();
// To be called only where available().
[[nodiscard]] const Api& api();

// Throws environment_error with cuDNN's own explanation.
void check(cudnnStatus_t status, std::source_location where = std::source_location::current());

}  // namespace plume::kernels::cuda::cudnn

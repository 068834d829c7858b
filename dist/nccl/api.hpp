// NCCL's functions, found in the library at run time; its header serves for types alone.
#pragma once

#include <nccl.h>

#include <string>

#if NCCL_VERSION_CODE < NCCL_VERSION(2, 14, 0)
#error "NCCL 2.14 or newer is needed, the first that starts without blocking; NCCL_ROOT names its folder"
#endif

namespace plume::dist::nccl {

struct Api {
  decltype(ncclGetVersion)* version;
  decltype(ncclGetErrorString)* error_string;
  decltype(ncclGetLastError)* last_error;
  decltype(ncclGetUniqueId)* unique_id;
  decltype(ncclCommInitRankConfig)* init;
  decltype(ncclCommGetAsyncError)* async_error;
  decltype(ncclAllReduce)* all_reduce;
  decltype(ncclCommFinalize)* finalize;
  decltype(ncclCommDestroy)* destroy;
  decltype(ncclCommAbort)* abort;
};

// Why there is none; empty where there is.
[[nodiscard]] const std::string& absence();
// To be called only where it is not absent.
[[nodiscard]] const Api& api();

}  // namespace plume::dist::nccl

// Opens libnccl.so.2.
#include "dist/nccl/api.hpp"

#include <cassert>
#include <cstdlib>
#include <optional>
#include <vector>

#include "dist/nccl.hpp"
#include "kernels/base/dynamic_library.hpp"

namespace plume::dist {
namespace nccl {
namespace {

// First as the loader finds it, then where it was when plume was configured.
std::vector<std::string> names() {
  if (const char* named = std::getenv("PLUME_NCCL")) return {named};
  return {"libnccl.so.2", PLUME_NCCL_FOLDER "/libnccl.so.2"};
}

struct Loaded {
  std::string absence;
  Api api{};
};

Loaded load() {
  Loaded loaded;
  const auto library = DynamicLibrary::open(names());
  if (!library) {
    loaded.absence = "NCCL cannot be opened: " + DynamicLibrary::last_failure();
    return loaded;
  }
  try {
    library->find(loaded.api.version, "ncclGetVersion");
    library->find(loaded.api.error_string, "ncclGetErrorString");
    library->find(loaded.api.last_error, "ncclGetLastError");
    library->find(loaded.api.unique_id, "ncclGetUniqueId");
    library->find(loaded.api.init, "ncclCommInitRankConfig");
    library->find(loaded.api.async_error, "ncclCommGetAsyncError");
    library->find(loaded.api.all_reduce, "ncclAllReduce");
    library->find(loaded.api.finalize, "ncclCommFinalize");
    library->find(loaded.api.destroy, "ncclCommDestroy");
    library->find(loaded.api.abort, "ncclCommAbort");
  } catch (const Error& error) {
    loaded.absence = error.what();
  }
  return loaded;
}

const Loaded& loaded() {
  static const Loaded instance = load();
  return instance;
}

}  // namespace

const std::string& absence() {
  return loaded().absence;
}

const Api& api() {
  assert(absence().empty());
  return loaded().api;
}

}  // namespace nccl

std::string nccl_absence() {
  return nccl::absence();
}

std::string nccl_version() {
  int version = 0;
  nccl::api().version(&version);
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace plume::dist

// Opens libcudnn_graph, the one of cuDNN's libraries that holds the graph interface.
#include "kernels/cuda/cudnn/api.hpp"

#include <array>
#include <cassert>
#include <optional>

#include "kernels/base/dynamic_library.hpp"

namespace plume::kernels::cuda::cudnn {
namespace {

std::optional<Api> load() {
  // First as the loader finds it, then where it was when plume was configured.
  const auto library = DynamicLibrary::open({"libcudnn_graph.so.9", PLUME_CUDNN_FOLDER "/libcudnn_graph.so.9"});
  if (!library) return std::nullopt;
  Api api{};
  library->find(api.get_version, "cudnnGetVersion");
  library->find(api.error_string, "cudnnGetErrorString");
  library->find(api.last_error_string, "cudnnGetLastErrorString");
  library->find(api.create, "cudnnCreate");
  library->find(api.destroy, "cudnnDestroy");
  library->find(api.set_stream, "cudnnSetStream");
  library->find(api.create_descriptor, "cudnnBackendCreateDescriptor");
  library->find(api.destroy_descriptor, "cudnnBackendDestroyDescriptor");
  library->find(api.set_attribute, "cudnnBackendSetAttribute");
  library->find(api.get_attribute, "cudnnBackendGetAttribute");
  library->find(api.finalize, "cudnnBackendFinalize");
  library->find(api.execute, "cudnnBackendExecute");
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

void check(cudnnStatus_t status, std::source_location where) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> details{};
  api().last_error_string(details.data(), details.size() - 1);
  throw environment_error("cuDNN: {}, in {}: {}", api().error_string(status), where.function_name(), details.data());
}

}  // namespace plume::kernels::cuda::cudnn

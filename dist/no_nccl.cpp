// Stands in for NCCL where its header is absent.
#include "dist/nccl.hpp"
#include "kernels/base/error.hpp"

namespace plume::dist {

std::string nccl_absence() {
  return "plume was built without NCCL's header, nccl.h";
}

std::string nccl_version() {
  return {};
}

std::unique_ptr<NcclGroup> open_nccl(Communicator&, kernels::CudaStream&, double) {
  throw environment_error("{}", nccl_absence());
}

}  // namespace plume::dist

// Gathered and added in the ranks' order.
#include "dist/host_across.hpp"

#include <vector>

#include "dist/collectives.hpp"
#include "kernels/memory.hpp"

namespace plume::dist {
namespace {

class HostAcross : public kernels::AcrossRanks {
 public:
  explicit HostAcross(Communicator& communicator) : communicator_(communicator) {}

  void sum(double* values, std::size_t count, kernels::CpuStream&) override {
    dist::sum(communicator_, std::span(values, count));
  }
  void sum(double* values, std::size_t count, kernels::CudaStream& stream) override {
    std::vector<double> host(count);
    kernels::download(host.data(), values, count * sizeof(double), stream);
    dist::sum(communicator_, std::span(host));
    kernels::upload(values, host.data(), count * sizeof(double), stream);
  }

 private:
  Communicator& communicator_;
};

}  // namespace

std::unique_ptr<kernels::AcrossRanks> host_across(Communicator& communicator) {
  return std::make_unique<HostAcross>(communicator);
}

}  // namespace plume::dist

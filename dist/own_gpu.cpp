// All ranks know what each sees, so that all decide alike.
#include "dist/own_gpu.hpp"

#include <array>
#include <cstring>
#include <string>

#include "dist/collectives.hpp"
#include "dist/launcher.hpp"
#include "kernels/base/error.hpp"
#include "kernels/cuda/info.hpp"

namespace plume::dist {
namespace {

struct Seat {
  int local_rank = 0;
  int device = 0;  // or how many are visible
  std::array<char, 64> host{};
  std::array<char, 48> uuid{};
};

Seat seat_of(const Communicator& communicator, int device) {
  Seat seat{communicator.local_rank(), device, {}, {}};
  std::strncpy(seat.host.data(), host_name().c_str(), seat.host.size() - 1);
  return seat;
}

}  // namespace

int own_gpu(Communicator& communicator, int visible) {
  const std::vector<Seat> seats = gathered(communicator, seat_of(communicator, visible));
  const auto index_of = [](const Seat& seat) { return seat.device == 1 ? 0 : seat.local_rank; };
  bool any = false;
  for (const Seat& seat : seats) any = any || seat.device > 0;
  if (!any) return -1;
  for (std::size_t rank = 0; rank < seats.size(); ++rank) {
    const Seat& seat = seats[rank];
    if (seat.device == 0)
      throw environment_error(
          "rank {} on {} sees no CUDA device, others do; see to its driver and CUDA_VISIBLE_DEVICES, or set "
          "train.device "
          "to cpu",
          rank, seat.host.data());
    if (index_of(seat) >= seat.device)
      throw environment_error(
          "rank {} on {} is the machine's number {}, but {} CUDA devices are visible; start one rank a device", rank,
          seat.host.data(), seat.local_rank + 1, seat.device);
  }
  return index_of(seats[static_cast<std::size_t>(communicator.rank())]);
}

void require_own_gpus(Communicator& communicator, kernels::CudaStream& stream) {
  Seat own = seat_of(communicator, stream.device());
  const std::string uuid = kernels::cuda_info().devices.at(static_cast<std::size_t>(own.device)).uuid;
  std::strncpy(own.uuid.data(), uuid.c_str(), own.uuid.size() - 1);
  const std::vector<Seat> seats = gathered(communicator, own);
  for (std::size_t rank = 0; rank < seats.size(); ++rank)
    for (std::size_t other = 0; other < rank; ++other)
      if (seats[rank].uuid == seats[other].uuid)
        throw environment_error(
            "ranks {} and {} are both on device {} of {}, {}: NCCL wants one rank a GPU; start as many ranks as GPUs, "
            "or "
            "set dist.backend to mpi",
            other, rank, seats[rank].device, seats[rank].host.data(), seats[rank].uuid.data());
}

}  // namespace plume::dist

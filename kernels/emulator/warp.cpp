// Warp operations: the lanes of a mask meet, and the last to arrive does the work for all.
#include "kernels/emulator/warp.hpp"

#include "kernels/emulator/coverage.hpp"
#include "kernels/emulator/races.hpp"
#include "kernels/emulator/report.hpp"

namespace plume::emulator {
namespace {

struct Exchange {
  std::uint64_t value;
  int source;
  bool outside;  // of the mask
};

void exchange(unsigned mask, void* const (&lanes)[32]) {
  std::uint64_t values[32] = {};
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0) values[lane] = static_cast<Exchange*>(lanes[lane])->value;
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) == 0) continue;
    Exchange& call = *static_cast<Exchange*>(lanes[lane]);
    const auto source = static_cast<unsigned>(call.source) % 32;
    call.outside = (mask >> source & 1U) == 0;
    call.value = values[source];
  }
}

struct Ballot {
  bool predicate;
  unsigned result;
};

void ballot(unsigned mask, void* const (&lanes)[32]) {
  unsigned result = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0 && static_cast<Ballot*>(lanes[lane])->predicate) result |= 1U << lane;
  }
  for (unsigned lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1U) != 0) static_cast<Ballot*>(lanes[lane])->result = result;
  }
}

void synchronise(unsigned mask, void* const (&)[32]) {
  Races::get().clocks.warp_barrier(Block::current().thread().warp, mask);
}

Meeting& meeting_for(Warp& warp, unsigned mask, Meeting::Combine combine) {
  Meeting* free = nullptr;
  for (Meeting& meeting : warp.meetings) {
    if (meeting.mask == mask && meeting.combine == combine) return meeting;
    if (meeting.mask == 0 && free == nullptr) free = &meeting;
  }
  free->mask = mask;
  free->combine = combine;
  free->arrived = 0;
  return *free;
}

void check_mask(const Block& block, const Warp& warp, unsigned lane, unsigned mask, const char* what, Site site) {
  if ((mask >> lane & 1U) == 0) kernel_error(site, "{}: lane {} is not in its mask {:#010x}", what, lane, mask);
  if ((mask & ~warp.lanes) != 0) {
    kernel_error(site, "{}: mask {:#010x} names lanes beyond the block's {} threads", what, mask, block.size());
  }
  if ((mask & warp.exited) != 0) {
    kernel_error(site, "{}: mask {:#010x} names lanes that have exited ({:#010x})", what, mask, mask & warp.exited);
  }
}

}  // namespace

void warp_collective(unsigned mask, Meeting::Combine combine, void* call, const char* what, Site site) {
  Block& block = Block::current();
  const Thread& self = block.thread();
  Warp& warp = block.warp(self.warp);
  check_mask(block, warp, self.lane, mask, what, site);
  Meeting& meeting = meeting_for(warp, mask, combine);
  meeting.site = site;
  meeting.lanes[self.lane] = call;
  meeting.arrived |= 1U << self.lane;
  if (meeting.arrived != mask) {
    block.wait(what, site);
    return;
  }
  combine(mask, meeting.lanes);
  meeting.mask = 0;
  const unsigned first = self.warp * 32;
  for (unsigned others = mask & ~(1U << self.lane); others != 0; others &= others - 1) {
    block.release(first + static_cast<unsigned>(std::countr_zero(others)));
  }
  block.maybe_yield();
}

void warp_barrier(unsigned mask, Site site) {
  if (!left_out("__syncwarp", site)) warp_collective(mask, synchronise, nullptr, "__syncwarp", site);
}

// Left out, a vote or shuffle is as its lane would have it alone.
unsigned warp_ballot(unsigned mask, bool predicate, Site site) {
  if (left_out("vote", site)) return predicate ? 1U << lane_id() : 0;
  Ballot call{predicate, 0};
  warp_collective(mask, ballot, &call, "a vote", site);
  return call.result;
}

std::uint64_t warp_exchange(unsigned mask, std::uint64_t value, int source, Site site) {
  if (left_out("shuffle", site)) return value;
  Exchange call{value, source, false};
  warp_collective(mask, exchange, &call, "a shuffle", site);
  if (call.outside) {
    kernel_error(site, "a shuffle reads lane {}, which its mask {:#010x} leaves out", source % 32, mask);
  }
  return call.value;
}

unsigned lane_id() {
  return Block::current().thread().lane;
}

// Which lanes happen to be together is up to the hardware; code that is right for one lane is right for more.
unsigned active_mask() {
  return 1U << lane_id();
}

}  // namespace plume::emulator

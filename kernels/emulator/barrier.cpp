// __syncthreads and named barriers.
#include "kernels/emulator/block.hpp"
#include "kernels/emulator/coverage.hpp"
#include "kernels/emulator/races.hpp"
#include "kernels/emulator/report.hpp"

namespace plume::emulator {
namespace {

void open(Block& block, Barrier& barrier) {
  for (const unsigned thread : barrier.waiting) block.release(thread);
  barrier.waiting.clear();
  barrier.arrived = 0;
  barrier.expected = 0;
}

}  // namespace

int block_barrier(Vote vote, int predicate, Site site) {
  if (left_out("__syncthreads", site)) return predicate;
  Block& block = Block::current();
  Barrier& barrier = block.barrier(0);
  if (block.exited() > 0) {
    kernel_error(site, "__syncthreads, which {} threads of the block will not reach: they have exited", block.exited());
  }
  if (barrier.arrived > 0 && (barrier.site.line() != site.line() || barrier.site.file_name() != site.file_name())) {
    kernel_error(site, "__syncthreads diverges: {} threads wait at {}", barrier.arrived, describe(barrier.site));
  }
  if (barrier.arrived == 0) barrier.votes = 0;
  barrier.site = site;
  barrier.votes += predicate != 0 ? 1 : 0;
  ++barrier.arrived;
  if (barrier.arrived == static_cast<int>(block.size())) {
    Races::get().clocks.block_barrier();
    open(block, barrier);
    barrier.result = barrier.votes;
    block.maybe_yield();
  } else {
    barrier.waiting.push_back(block.thread().number);
    block.wait("__syncthreads", site);
  }
  switch (vote) {
    case Vote::any: return barrier.result > 0 ? 1 : 0;
    case Vote::all: return barrier.result == static_cast<int>(block.size()) ? 1 : 0;
    case Vote::count: return barrier.result;
  }
  return 0;
}

void named_barrier(int id, int threads, bool wait, Site site) {
  if (left_out("named barrier", site)) return;
  Block& block = Block::current();
  if (id < 1 || id >= Block::barriers) {
    kernel_error(site, "barrier {}: named barriers are 1 to 15 (0 is __syncthreads)", id);
  }
  if (threads <= 0 || threads % warpSize != 0 || threads > static_cast<int>(block.size())) {
    kernel_error(site, "barrier {} for {} threads: must be a multiple of 32, and at most the block's {}", id, threads,
                 block.size());
  }
  Barrier& barrier = block.barrier(id);
  if (barrier.arrived > 0 && barrier.expected != threads) {
    kernel_error(site, "barrier {} for {} threads, but {} wait at {} for {}", id, threads, barrier.arrived,
                 describe(barrier.site), barrier.expected);
  }
  barrier.expected = threads;
  barrier.site = site;
  ++barrier.arrived;
  Races::get().clocks.arrive(id, block.thread().number);
  if (wait) barrier.waiting.push_back(block.thread().number);
  if (barrier.arrived == threads) {
    Races::get().clocks.open(id, barrier.waiting);
    if (wait) barrier.waiting.pop_back();
    open(block, barrier);
    block.maybe_yield();
  } else if (wait) {
    block.wait("a named barrier", site);
  }
}

}  // namespace plume::emulator

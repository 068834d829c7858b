// Shadow memory, after ThreadSanitizer's (Serebryany and others, 2011), with CUDA's blocks and barriers for threads and locks.
#include "kernels/emulator/races.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>

#include "kernels/base/error.hpp"
#include "kernels/emulator/block.hpp"
#include "kernels/emulator/code_place.hpp"
#include "kernels/emulator/report.hpp"
#include "kernels/emulator/shared_arena.hpp"

namespace plume::emulator {
namespace {

// Pages cost memory only once they are written, so that the shadow of addresses never used costs none.
void* reserve(std::size_t bytes, int protection) {
  void* memory = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw environment_error("no {} GB of addresses for the emulated device", bytes >> 30U);
  return memory;
}

constexpr std::uint32_t block_limit = (1U << 28U) - 1;
constexpr std::uint32_t time_limit = (1U << 20U) - 1;

}  // namespace

std::byte* address_space() {
  static auto* base = static_cast<std::byte*>(reserve(AddressSpace::bytes, PROT_NONE));
  return base;
}

Races& Races::get() {
  static Races races;
  return races;
}

Races::Races()
    : base_(address_space()),
      cells_(static_cast<Cell*>(reserve(AddressSpace::bytes / 4 * sizeof(Cell), PROT_READ | PROT_WRITE))),
      bounds_(static_cast<Bounds*>(
          reserve(AddressSpace::bytes / AddressSpace::page * sizeof(Bounds), PROT_READ | PROT_WRITE))) {}

void Races::begin_launch() {
  if (block_ > block_limit / 2) {  // numbers run out: forget all, and start again
    madvise(cells_, AddressSpace::bytes / 4 * sizeof(Cell), MADV_DONTNEED);
    block_ = 0;
  }
  launch_ = block_ + 1;
  atomics_.clear();
}

void Races::begin_block(unsigned threads) {
  block_ = std::min(block_ + 1, block_limit);
  clocks.begin_block(threads);
  acquired_.clear();
  active_ = true;
}

void Races::set_bounds(const std::byte* pages, std::size_t page_bytes, const std::byte* data, std::size_t bytes) {
  const auto first = static_cast<std::size_t>(pages - base_) / AddressSpace::page;
  const auto start = static_cast<std::size_t>(data - base_);
  std::fill_n(bounds_ + first, page_bytes / AddressSpace::page, Bounds{start, start + bytes});
  const std::size_t words = page_bytes / 4;
  if (bytes == 0) madvise(cells_ + first * (AddressSpace::page / 4), words * sizeof(Cell), MADV_DONTNEED);
}

bool Races::in_bounds(std::size_t offset, std::size_t bytes) const {
  if (offset < AddressSpace::shared_bytes) return shared_arena().holds(base_ + offset, bytes);
  const Bounds& bounds = bounds_[offset / AddressSpace::page];
  return offset >= bounds.start && offset + bytes <= bounds.end;
}

void Races::aligned_access(const void* address, std::size_t bytes, bool writes, const void* code) {
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(address) - base_);
  if (offset >= AddressSpace::bytes || !active_) return;
  if (offset % bytes != 0) {
    Block::current().fail(
        fmt::format("{}: a misaligned {} of {} bytes", where_code(code), writes ? "write" : "read", bytes));
  }
  check(offset, bytes, writes, code);
}

void Races::atomic(const void* address) {
  if (!active_) return;
  std::vector<std::uint32_t>& blocks = atomics_[address];
  acquired_.insert(blocks.begin(), blocks.end());
  if (blocks.empty() || blocks.back() != block_) blocks.push_back(block_);
}

void Races::check(std::size_t offset, std::size_t bytes, bool writes, const void* code) {
  if (!in_bounds(offset, bytes)) {
    Block::current().fail(fmt::format("{}: a {} of {} bytes outside of every array in {} memory", where_code(code),
                                      writes ? "write" : "read", bytes,
                                      offset < AddressSpace::shared_bytes ? "shared" : "device"));
    return;
  }
  const Thread& thread = Block::current().thread();
  const Clocks::Time time = clocks.now(thread.number);
  if (time > time_limit) return;
  Record now{block_ & block_limit, 0, time & time_limit, thread.number & 0x7ffU, writes ? 1U : 0U, code_offset(code)};
  const std::size_t end = offset + bytes;
  for (std::size_t word = offset / 4; word * 4 < end; ++word) {
    const std::size_t from = std::max(offset, word * 4) - word * 4;
    const std::size_t to = std::min(end, word * 4 + 4) - word * 4;
    now.mask = ((1U << to) - (1U << from)) & 0xfU;
    check_word(word, now);
  }
}

// Whether the old access is no concern: of an earlier launch or (in shared memory) block, or one that this one follows.
bool Races::ordered(const Record& old, const Record& now) const {
  if (old.block == now.block) return clocks.before(old.thread, old.time, now.thread);
  return old.block < launch_ || acquired_.contains(old.block);
}

void Races::check_word(std::size_t word, const Record& now) {
  Cell& cell = cells_[word];
  const bool shared = word * 4 < AddressSpace::shared_bytes;
  Record* place = nullptr;
  for (Record& old : cell) {
    if (old.mask == 0 || old.block < launch_ || (shared && old.block != now.block)) {
      if (place == nullptr) place = &old;
      old.mask = 0;
      continue;
    }
    const bool done_before = ordered(old, now);
    if ((old.mask & now.mask) != 0 && (old.writes | now.writes) != 0 && !done_before) {
      report(word, old, now);
      return;
    }
    // A later access that says as much or more takes the place of this one.
    const bool covered = (old.mask & ~now.mask) == 0 && (old.writes == 0 || now.writes != 0);
    const bool same = old.block == now.block && old.thread == now.thread;
    if (covered && (same || (done_before && now.writes != 0))) {
      if (place != nullptr && place != &old) place->mask = 0;
      place = &old;
    } else if (same && old.time == now.time && (now.mask & ~old.mask) == 0 && old.writes >= now.writes) {
      return;
    }
  }
  if (place == nullptr) place = &cell[++evicted_ % cell.size()];
  *place = now;
}

void Races::report(std::size_t word, const Record& old, const Record& now) const {
  Block& block = Block::current();
  const auto kind = [](const Record& record) { return record.writes != 0 ? "write" : "read"; };
  const bool shared = word * 4 < AddressSpace::shared_bytes;
  const uint3 thread = block.thread(std::min(old.thread, block.size() - 1)).index;
  const std::string other = fmt::format("thread ({},{},{}){}", thread.x, thread.y, thread.z,
                                        old.block == now.block ? "" : " of another block");
  block.fail(fmt::format("{}: a race in {} memory: this {} and the {} by {} at {} have no barrier between them",
                         where_code(code_at(now.code)), shared ? "shared" : "device", kind(now), kind(old), other,
                         describe_code(code_at(old.code))));
}

}  // namespace plume::emulator

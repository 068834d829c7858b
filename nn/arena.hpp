// Memory of a training or inference step: recorded once, planned by lifetime, then handed out at the same addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/memory.hpp"
#include "kernels/stream.hpp"

namespace plume::nn {

class Arena;

// A piece of memory, given back to its arena on destruction.
class Block {
 public:
  Block() = default;
  Block(Block&& other) noexcept;
  Block& operator=(Block&& other) noexcept;
  ~Block();

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  explicit operator bool() const noexcept { return arena_ != nullptr; }

 private:
  friend class Arena;
  Block(Arena* arena, std::size_t index, std::byte* data) : arena_(arena), index_(index), data_(data) {}

  Arena* arena_ = nullptr;
  std::size_t index_ = 0;
  std::byte* data_ = nullptr;
};

// One allocation of a step, in the order they were asked for.
struct Allocation {
  std::string name;
  std::size_t bytes = 0;
  std::size_t birth = 0;  // on a clock that ticks at every allocation and release
  std::size_t death = 0;
  std::size_t offset = 0;  // in the slab
};

struct MemoryPlan {
  std::vector<Allocation> allocations;
  std::size_t bytes = 0;  // of the slab
};

// Usage: begin("train 8x128x128"); ...allocate...; end(). The first step under a key takes its memory from the heap and is
// recorded; later ones follow the plan made from it. Outside begin/end every allocation comes from the heap.
// The first step had better be a dry one: the heap is slow, on CUDA above all.
// A step that departs from its plan (another size, or a tensor kept longer) is a bug: std::logic_error.
class Arena {
 public:
  enum class Mode { heap, record, dry, planned };

  // Memory of the stream's device; the stream must outlive the arena. None (null): the host's memory.
  explicit Arena(kernels::Stream* stream = nullptr);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // dry: record sizes and lifetimes without taking memory; the step must not touch any.
  void begin(const std::string& key, bool dry = false);
  void end();
  // Forgets what was recorded of a step that did not come to its end.
  void abandon() { mode_ = Mode::heap; }

  // `bytes` of memory, 64-byte aligned. Throws environment_error naming the largest entries where memory runs out.
  [[nodiscard]] Block allocate(std::size_t bytes, std::string_view name);

  // The plan of a key, null before its first step ended.
  [[nodiscard]] const MemoryPlan* plan(const std::string& key) const;

  [[nodiscard]] std::size_t plans() const { return plans_.size(); }
  // Between steps.
  void forget_plans() { plans_.clear(); }

  // Where planned steps live; it moves when a step needs more than all before it.
  [[nodiscard]] const std::byte* slab() const noexcept { return slab_.data(); }

 private:
  friend class Block;
  void release(std::size_t index) noexcept;
  [[nodiscard]] Block from_heap(std::size_t bytes, std::string_view name);
  [[nodiscard]] Block from_plan(std::size_t bytes, std::string_view name);
  [[nodiscard]] kernels::Memory take(std::size_t bytes) const;

  kernels::Stream* stream_;
  Mode mode_ = Mode::heap;
  std::string key_;
  std::map<std::string, MemoryPlan> plans_;
  std::vector<Allocation> recording_;
  std::vector<bool> alive_;      // of a planned step, by the order of allocation
  std::size_t first_index_ = 0;  // what the step's first allocation is numbered, so that older blocks are told apart
  std::size_t clock_ = 0;
  std::map<std::size_t, kernels::Memory> heap_;  // blocks from the heap, by index
  std::size_t next_index_ = 0;
  kernels::Memory slab_;
};

// A step of an arena from here to the end of the scope, however it is left.
class ArenaStep {
 public:
  ArenaStep(Arena& arena, const std::string& key, bool dry = false) : arena_(arena) { arena.begin(key, dry); }
  ~ArenaStep() {
    if (std::uncaught_exceptions() > exceptions_) arena_.abandon();
    arena_.end();
  }
  ArenaStep(const ArenaStep&) = delete;
  ArenaStep& operator=(const ArenaStep&) = delete;

 private:
  Arena& arena_;
  int exceptions_ = std::uncaught_exceptions();
};

// Offsets by lifetime: the largest allocations first, each at the lowest place that no neighbour in time occupies.
[[nodiscard]] MemoryPlan plan_memory(std::vector<Allocation> allocations);

// A table of what lives at the peak, largest first, for people.
[[nodiscard]] std::string describe(const MemoryPlan& plan, std::size_t rows);

}  // namespace plume::nn

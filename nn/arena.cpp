// The arena's bookkeeping.
#include "nn/arena.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <variant>

#include "kernels/base/error.hpp"

namespace plume::nn {
namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t never = static_cast<std::size_t>(-1);

std::size_t aligned(std::size_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

// The three largest allocations, for an error message.
std::string largest(MemoryPlan plan) {
  auto& all = plan.allocations;
  std::stable_sort(all.begin(), all.end(), [](const Allocation& a, const Allocation& b) { return a.bytes > b.bytes; });
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, all.size()); ++i) {
    text += fmt::format("{}{} ({:.1f} MiB)", i ? ", " : "", all[i].name, static_cast<double>(all[i].bytes) / 1048576);
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace

Block::Block(Block&& other) noexcept
    : arena_(std::exchange(other.arena_, nullptr)), index_(other.index_), data_(std::exchange(other.data_, nullptr)) {}

Block& Block::operator=(Block&& other) noexcept {
  if (this != &other) {
    if (arena_) arena_->release(index_);
    arena_ = std::exchange(other.arena_, nullptr);
    index_ = other.index_;
    data_ = std::exchange(other.data_, nullptr);
  }
  return *this;
}

Block::~Block() {
  if (arena_) arena_->release(index_);
}

Arena::Arena(kernels::Stream* stream) : stream_(stream) {}
Arena::~Arena() = default;

kernels::Memory Arena::take(std::size_t bytes) const {
  if (stream_) return std::visit([&](auto& stream) { return kernels::allocate(bytes, stream); }, *stream_);
  kernels::CpuStream host(1);
  return kernels::allocate(bytes, host);
}

void Arena::begin(const std::string& key, bool dry) {
  if (mode_ != Mode::heap) throw std::logic_error("arena: step '" + key + "' begins inside '" + key_ + "'");
  key_ = key;
  clock_ = 0;
  recording_.clear();
  alive_.clear();
  first_index_ = next_index_;
  const MemoryPlan* known = plan(key);
  if (dry) {
    mode_ = Mode::dry;
  } else if (known == nullptr) {
    mode_ = Mode::record;
  } else {
    mode_ = Mode::planned;
    if (known->bytes > slab_.size()) {
      slab_ = kernels::Memory();
      slab_ = take(known->bytes);
      if (!slab_) {
        throw environment_error("out of memory: the step '{}' needs {:.1f} MiB; most of it for {}", key,
                                static_cast<double>(known->bytes) / 1048576, largest(*known));
      }
    }
  }
}

void Arena::end() {
  if (mode_ == Mode::record || mode_ == Mode::dry) plans_[key_] = plan_memory(std::move(recording_));
  mode_ = Mode::heap;
  recording_.clear();
}

Block Arena::allocate(std::size_t bytes, std::string_view name) {
  if (mode_ == Mode::planned) return from_plan(bytes, name);
  if (mode_ == Mode::record || mode_ == Mode::dry) {
    recording_.push_back({std::string(name), bytes, clock_++, never, 0});
  }
  if (mode_ == Mode::dry) return {this, next_index_++, nullptr};
  return from_heap(bytes, name);
}

Block Arena::from_heap(std::size_t bytes, std::string_view name) {
  kernels::Memory memory = take(bytes);
  if (!memory) {
    throw environment_error("out of memory: {:.1f} MiB for '{}'; so far most went to {}",
                            static_cast<double>(bytes) / 1048576, name, largest({recording_, 0}));
  }
  std::byte* data = memory.data();
  const std::size_t index = next_index_++;
  heap_.emplace(index, std::move(memory));
  return {this, index, data};
}

Block Arena::from_plan(std::size_t bytes, std::string_view name) {
  const auto& planned = plans_.at(key_).allocations;
  const std::size_t number = alive_.size();
  if (number >= planned.size() || planned[number].bytes != bytes) {
    throw std::logic_error(fmt::format("arena: step '{}' departs from its plan at allocation {} ('{}', {} bytes)", key_,
                                       number, name, bytes));
  }
  const Allocation& mine = planned[number];
  for (std::size_t i = 0; i < number; ++i) {
    const Allocation& other = planned[i];
    const bool overlap = other.offset < mine.offset + mine.bytes && mine.offset < other.offset + other.bytes;
    if (alive_[i] && overlap) {
      throw std::logic_error(
          fmt::format("arena: '{}' is kept longer than planned, '{}' needs its memory", other.name, name));
    }
  }
  alive_.push_back(true);
  return {this, next_index_++, slab_.data() + mine.offset};
}

void Arena::release(std::size_t index) noexcept {
  heap_.erase(index);
  if (index < first_index_ || mode_ == Mode::heap) return;
  const std::size_t number = index - first_index_;
  if (mode_ == Mode::planned) {
    alive_[number] = false;
  } else {
    recording_[number].death = clock_++;
  }
}

const MemoryPlan* Arena::plan(const std::string& key) const {
  const auto found = plans_.find(key);
  return found == plans_.end() ? nullptr : &found->second;
}

MemoryPlan plan_memory(std::vector<Allocation> allocations) {
  std::vector<std::size_t> order(allocations.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return allocations[a].bytes > allocations[b].bytes; });

  MemoryPlan plan;
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    Allocation& mine = allocations[i];
    std::size_t offset = 0;
    for (const std::size_t j : placed) {
      const Allocation& other = allocations[j];
      const bool together = mine.birth < other.death && other.birth < mine.death;
      if (!together) continue;
      if (offset + aligned(mine.bytes) <= other.offset) break;
      offset = std::max(offset, other.offset + aligned(other.bytes));
    }
    mine.offset = offset;
    plan.bytes = std::max(plan.bytes, offset + aligned(mine.bytes));
    const auto after =
        std::find_if(placed.begin(), placed.end(), [&](std::size_t j) { return allocations[j].offset > offset; });
    placed.insert(after, i);
  }
  plan.allocations = std::move(allocations);
  return plan;
}

std::string describe(const MemoryPlan& plan, std::size_t rows) {
  // The peak is right after some allocation: find the one with the most bytes alive.
  std::size_t peak_bytes = 0;
  std::size_t peak_time = 0;
  const auto alive = [](const Allocation& a, std::size_t time) { return a.birth <= time && time < a.death; };
  for (const Allocation& candidate : plan.allocations) {
    std::size_t bytes = 0;
    for (const Allocation& other : plan.allocations) bytes += alive(other, candidate.birth) ? other.bytes : 0;
    if (bytes > peak_bytes) {
      peak_bytes = bytes;
      peak_time = candidate.birth;
    }
  }
  std::vector<const Allocation*> living;
  for (const Allocation& allocation : plan.allocations) {
    if (alive(allocation, peak_time)) living.push_back(&allocation);
  }
  std::stable_sort(living.begin(), living.end(),
                   [](const Allocation* a, const Allocation* b) { return a->bytes > b->bytes; });

  std::string text = fmt::format("{:>10}  {}\n", "MiB", "at the peak");
  const auto line = [&](std::size_t bytes, std::string_view name) {
    text += fmt::format("{:>10.2f}  {}\n", static_cast<double>(bytes) / 1048576, name);
  };
  std::size_t rest = 0;
  for (std::size_t i = 0; i < living.size(); ++i) {
    if (i < rows) {
      line(living[i]->bytes, living[i]->name);
    } else {
      rest += living[i]->bytes;
    }
  }
  if (living.size() > rows) line(rest, fmt::format("{} more", living.size() - rows));
  line(peak_bytes, "alive");
  line(plan.bytes, "arena");
  return text;
}

}  // namespace plume::nn

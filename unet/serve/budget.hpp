// A limit on the memory that requests hold together, from their first byte to the last of the answer.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace plume::serve {

// Safe to use from several threads.
class Budget {
 public:
  explicit Budget(std::size_t limit) : limit_(limit) {}

  // Takes so many bytes more, if there are.
  [[nodiscard]] bool take(std::size_t bytes) noexcept {
    std::size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ || used > limit_ - bytes) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  // Takes them in any case: work that is done is not thrown away.
  void force(std::size_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

// What one holder took; given back with it.
class Share {
 public:
  explicit Share(Budget& budget) : budget_(&budget) {}
  Share(Share&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  Share& operator=(Share&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Share() { clear(); }

  [[nodiscard]] bool grow(std::size_t bytes) noexcept {
    if (!budget_->take(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void force(std::size_t bytes) noexcept {
    budget_->force(bytes);
    bytes_ += bytes;
  }
  void clear() noexcept { budget_->give_back(std::exchange(bytes_, 0)); }

 private:
  Budget* budget_;
  std::size_t bytes_ = 0;
};

}  // namespace plume::serve

// Sums and the like of a few values over all ranks, added in the ranks' order: the same bits on each.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "dist/communicator.hpp"

namespace plume::dist {

// Of each rank, in their order.
template <class T>
[[nodiscard]] std::vector<T> gathered(Communicator& communicator, const T& own) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<T> all(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&own, all.data(), sizeof(T));
  return all;
}

// Each value becomes the sum over the ranks. Values by ranks must fit in memory.
void sum(Communicator& communicator, std::span<double> values);
void sum(Communicator& communicator, std::span<std::int64_t> values);

// The root's text is everyone's.
void broadcast(Communicator& communicator, std::string& text, int root = 0);

// Waits until all have come.
void barrier(Communicator& communicator);

}  // namespace plume::dist

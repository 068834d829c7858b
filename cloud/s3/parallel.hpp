// A few threads that share numbered tasks; most of the time they wait for the network.
#pragma once

#include <cstddef>
#include <functional>

namespace plume::cloud {

// task(i) for each i below count, the lowest first, on up to `jobs` threads. After a task has thrown no other is begun;
// what the first of them threw is thrown on when all have ended.
void run_parallel(std::size_t count, std::size_t jobs, const std::function<void(std::size_t)>& task);

}  // namespace plume::cloud

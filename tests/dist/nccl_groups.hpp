// What the tests of NCCL take from the program that they are in: real GPUs, or the emulator and a library that pretends.
#pragma once

#include <vector>

namespace plume::tests {

// Numbers of ranks to try, each with a GPU of its own; none where there is no GPU or no NCCL.
[[nodiscard]] std::vector<int> group_sizes();

}  // namespace plume::tests

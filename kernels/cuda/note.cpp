// Notes go to stderr, so that they mix with no output that a program reads.
#include "kernels/cuda/note.hpp"

#include <fmt/core.h>

#include <cstdio>

namespace plume::kernels::cuda {

void note(std::string_view text) {
  fmt::print(stderr, "note: {}\n", text);
  std::fflush(stderr);
}

}  // namespace plume::kernels::cuda

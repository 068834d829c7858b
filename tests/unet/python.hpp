// The Python that runs PyTorch, for the tests that have it as their peer.
#pragma once

#include <cstdlib>
#include <string>

namespace plume::tests {

// Debian's own interpreter: the one that python3-torch belongs to.
inline const std::string python = "/usr/bin/python3";

inline bool has_torch() {
  static const bool found = std::system((python + " -c 'import torch, numpy' 2> /dev/null").c_str()) == 0;
  return found;
}

}  // namespace plume::tests

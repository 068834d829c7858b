// The Python whose packages are the peers of some tests.
#pragma once

#include <cstdlib>
#include <string>

namespace plume::tests {

// Debian's own interpreter: the one that its python3-... packages belong to.
inline const std::string python = "/usr/bin/python3";

// Whether it has the modules, e.g. "torch, numpy".
inline bool python_has(const std::string& modules) {
  return std::system((python + " -c 'import " + modules + "' 2> /dev/null").c_str()) == 0;
}

}  // namespace plume::tests

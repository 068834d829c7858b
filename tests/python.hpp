// The Python whose packages are the peers of some tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace plume::tests {

// Debian's own interpreter: the one that its python3-... packages belong to.
inline const std::string python = "/usr/bin/python3";

// The one with packages from PyPI (cmake/install_peers.sh), where make test-slow has made it.
inline const std::string peers_python = PLUME_SOURCE_DIR "/build/peers/bin/python";

// Whether it has the modules, e.g. "torch, numpy".
inline bool python_has(const std::string& modules, const std::string& interpreter = python) {
  return std::filesystem::exists(interpreter) &&
         std::system((interpreter + " -c 'import " + modules + "' 2> /dev/null").c_str()) == 0;
}

}  // namespace plume::tests

// Where the real satellite data of the tests lies, which the repository does not hold.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace plume::tests {

// The folder $PLUME_DATA, or ../shared/data from the source root.
inline std::filesystem::path real_data() {
  const char* given = std::getenv("PLUME_DATA");
  return given != nullptr ? std::filesystem::path(given)
                          : std::filesystem::path(PLUME_SOURCE_DIR).parent_path() / "shared" / "data";
}

}  // namespace plume::tests

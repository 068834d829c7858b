// The versions of the libraries that read and write data, for `plume doctor`.
#pragma once

#include <string>
#include <vector>

namespace plume::data {

struct Library {
  std::string name;
  std::string compiled;  // the headers' version
  std::string loaded;    // what the running program has; empty where the library cannot be opened
  std::string failure;   // why it cannot be
};

[[nodiscard]] std::vector<Library> libraries();

}  // namespace plume::data

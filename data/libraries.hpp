// The versions of the libraries that read and write data, for `plume doctor` and the records of runs.
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

// The same without opening any: `loaded` and `failure` are empty.
[[nodiscard]] std::vector<Library> libraries_built_with();

}  // namespace plume::data

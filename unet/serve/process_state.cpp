// From /proc/self.
#include "unet/serve/process_state.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace plume::serve {

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  std::size_t resident = 0;
  file >> pages >> resident;
  return file ? resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::size_t open_files() {
  std::error_code failed;
  const std::filesystem::directory_iterator files("/proc/self/fd", failed);
  if (failed) return 0;
  return static_cast<std::size_t>(std::distance(begin(files), end(files))) - 1;  // without the folder itself
}

}  // namespace plume::serve

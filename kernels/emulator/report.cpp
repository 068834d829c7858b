// How errors say where they are.
#include "kernels/emulator/report.hpp"

#include "kernels/emulator/block.hpp"
#include "kernels/emulator/code_place.hpp"

namespace plume::emulator {

std::string describe(const std::source_location& site) {
  const std::string_view path = site.file_name();
  return fmt::format("{}:{}", path.substr(path.rfind('/') + 1), site.line());
}

std::string where_now(const std::source_location* site) {
  Block& block = Block::current();
  const uint3 thread = block.thread().index;
  std::string text = fmt::format("kernel {}, block ({},{},{}), thread ({},{},{})", block.launch().kernel->name,
                                 blockIdx.x, blockIdx.y, blockIdx.z, thread.x, thread.y, thread.z);
  if (site != nullptr) text += " at " + describe(*site);
  return text;
}

std::string where_code(const void* code) {
  return where_now(nullptr) + " at " + describe_code(code);
}

}  // namespace plume::emulator

// Asks addr2line for the lines of return addresses.
#include "kernels/emulator/code_place.hpp"

#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>

namespace plume::emulator {
namespace {

// Where the program itself is loaded: kernels are linked into it, not into a shared library.
std::uintptr_t program_start() {
  static const std::uintptr_t start = [] {
    std::uintptr_t address = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* out) {
          *static_cast<std::uintptr_t*>(out) = info->dlpi_addr;
          return 1;  // the first is the program
        },
        &address);
    return address;
  }();
  return start;
}

std::string ask_addr2line(std::uint32_t offset) {
  std::array<char, 4096> program{};
  if (readlink("/proc/self/exe", program.data(), program.size() - 1) < 0) return {};
  const std::string command = fmt::format("addr2line -e '{}' {:#x} 2>/dev/null", program.data(), offset);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::array<char, 4096> line{};
  if (pipe == nullptr || std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) == nullptr) return {};
  std::string text(line.data());
  text = text.substr(0, text.find_first_of(" \n"));
  if (text.empty() || text.starts_with('?')) return {};
  return text.substr(text.rfind('/') + 1);
}

}  // namespace

std::uint32_t code_offset(const void* code) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(code) - program_start());
}

const void* code_at(std::uint32_t offset) {
  return reinterpret_cast<const void*>(program_start() + offset);
}

std::string describe_code(const void* code) {
  const std::uint32_t offset = code_offset(code) - 1;  // within the call, not behind it
  static std::map<std::uint32_t, std::string> known;   // to ask is to start a process
  const auto [entry, added] = known.try_emplace(offset);
  if (added) entry->second = ask_addr2line(offset);
  const std::string& text = entry->second;
  return text.empty() ? fmt::format("program+{:#x}", offset) : text;
}

}  // namespace plume::emulator

// Says which kernel thread made the access that the operating system refused.
#include "kernels/emulator/faults.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "kernels/emulator/block.hpp"
#include "kernels/emulator/races.hpp"

namespace plume::emulator {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool explained_by_sanitizer = true;
#else
constexpr bool explained_by_sanitizer = false;
#endif

// The stack that the fault happened on may be the one that overflowed.
std::array<char, 65536> signal_stack;

const char* nature(const void* address) {
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(address) - address_space());
  if (address == nullptr) return "no valid address, or a misaligned one";
  return offset < AddressSpace::bytes ? "device memory that is not allocated, or no more" : "no device memory";
}

void explain(int signal, siginfo_t* info, void*) {
  std::array<char, 1024> text{};
  if (const Block* block = Block::running()) {
    const uint3 thread = threadIdx;
    const auto end = fmt::format_to_n(text.data(), text.size(),
                                      "emulator: kernel {}, block ({},{},{}), thread ({},{},{}): a fault at {}: {}\n",
                                      block->launch().kernel->name, blockIdx.x, blockIdx.y, blockIdx.z, thread.x,
                                      thread.y, thread.z, info->si_addr, nature(info->si_addr));
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), std::min(end.size, text.size()));
  }
  std::signal(signal, SIG_DFL);  // on return the access is made again
}

}  // namespace

void explain_faults() {
  static bool installed = explained_by_sanitizer;
  if (installed) return;
  installed = true;
  stack_t stack{};
  stack.ss_sp = signal_stack.data();
  stack.ss_size = signal_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action {};
  action.sa_sigaction = explain;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace plume::emulator

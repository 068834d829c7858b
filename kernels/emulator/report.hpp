// Errors found in a running kernel: reported once, with kernel, block, thread and site, and unwound to the launch.
#pragma once

#include <fmt/core.h>

#include <exception>
#include <source_location>
#include <string>
#include <utility>

namespace plume::emulator {

// Thrown through the kernel thread that made the error.
struct KernelError : std::exception {
  explicit KernelError(std::string report) : text(std::move(report)) {}
  [[nodiscard]] const char* what() const noexcept override { return text.c_str(); }
  std::string text;
};

// "kernel foo, block (1,0,0), thread (3,0,0) at file.cu:12"; without a site, up to the thread.
[[nodiscard]] std::string where_now(const std::source_location* site);
[[nodiscard]] std::string describe(const std::source_location& site);
// As where_now, with a return address for a site.
[[nodiscard]] std::string where_code(const void* code);

template <class... Arguments>
[[noreturn]] void kernel_error(const std::source_location& site, fmt::format_string<Arguments...> format,
                               Arguments&&... arguments) {
  throw KernelError(where_now(&site) + ": " + fmt::format(format, std::forward<Arguments>(arguments)...));
}

}  // namespace plume::emulator

// The errors a user can cause: one line that says what, where and what to do, and an exit code by kind.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace plume {

// The value is the program's exit code (docs/reference.md).
enum class ErrorKind { usage = 2, input = 3, environment = 4, remote = 5 };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] virtual int exit_code() const noexcept { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

// A wrong flag or command. (A configuration's keys and values are input.)
template <class... Args>
[[nodiscard]] Error usage_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::usage, fmt::format(format, std::forward<Args>(args)...)};
}

// A file or value that is missing, damaged or does not fit.
template <class... Args>
[[nodiscard]] Error input_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::input, fmt::format(format, std::forward<Args>(args)...)};
}

// The machine does not give what is needed: disk full, no permission, a library absent.
template <class... Args>
[[nodiscard]] Error environment_error(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::environment, fmt::format(format, std::forward<Args>(args)...)};
}

// Runs body and puts `where` (a path) before the message of an Error that does not begin with it already.
template <class Body>
decltype(auto) with_context(const std::string& where, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with(where)) throw;
    throw Error(error.kind(), where + ": " + error.what());
  }
}

}  // namespace plume

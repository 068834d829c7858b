// What can go wrong between here and a service, by what a caller can do about it.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

#include "kernels/base/error.hpp"

namespace plume::cloud {

// The value is the exit code of `plume cloud` (docs/reference.md).
enum class Failure {
  usage = 2,        // a wrong flag, name or setting
  credentials = 3,  // none found, or refused
  not_found = 4,
  conflict = 5,     // exists already, or has changed meanwhile
  unavailable = 6,  // throttled, unreachable, or broken beyond the retries
  failed = 7,       // the service says that what was asked for has failed
  timeout = 8,
  remains = 9,  // a teardown left something
};

class Error : public plume::Error {
 public:
  // `code` is the service's own word for it, such as NoSuchKey; empty where none was given.
  Error(Failure failure, const std::string& message, std::string code = {})
      : plume::Error(ErrorKind::remote, message), failure_(failure), code_(std::move(code)) {}
  [[nodiscard]] Failure failure() const noexcept { return failure_; }
  [[nodiscard]] const std::string& code() const noexcept { return code_; }
  [[nodiscard]] int exit_code() const noexcept override { return static_cast<int>(failure_); }

 private:
  Failure failure_;
  std::string code_;
};

template <class... Args>
[[nodiscard]] Error cloud_error(Failure failure, fmt::format_string<Args...> format, Args&&... args) {
  return {failure, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace plume::cloud

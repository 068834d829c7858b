// Shared libraries opened at run time, so that one program starts on machines with and without them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/base/error.hpp"

namespace plume {

// Stays open until the process ends: libraries that have threads or device memory do not survive being unloaded.
class DynamicLibrary {
 public:
  // The first of `names` (a file name to search for, or a path) that can be opened; nothing where none can.
  [[nodiscard]] static std::optional<DynamicLibrary> open(const std::vector<std::string>& names);

  // After open() found nothing: why the last name could not be opened, in the loader's words, one line.
  [[nodiscard]] static std::string last_failure();

  // Sets `function` to the library's function of that name. Throws environment_error where it has none.
  template <class Function>
  void find(Function*& function, const char* name) const {
    function = reinterpret_cast<Function*>(address(name));
  }

 private:
  DynamicLibrary(void* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  [[nodiscard]] void* address(const char* name) const;

  void* handle_;
  std::string name_;
};

}  // namespace plume

// dlopen(3) and dlsym(3).
#include "kernels/base/dynamic_library.hpp"

#include <dlfcn.h>

namespace plume {

std::optional<DynamicLibrary> DynamicLibrary::open(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) return DynamicLibrary(handle, name);
  }
  return std::nullopt;
}

std::string DynamicLibrary::last_failure() {
  const char* reason = ::dlerror();
  return reason == nullptr ? "unknown reason" : reason;
}

void* DynamicLibrary::address(const char* name) const {
  void* found = ::dlsym(handle_, name);
  if (found == nullptr) throw environment_error("{} has no {}: is it too old?", name_, name);
  return found;
}

}  // namespace plume

// A block's shared memory: static arrays by declaration, and the launch's dynamic part.
#pragma once

#include <cstddef>
#include <source_location>

namespace plume::emulator {

// Every thread of a block that passes the same declaration gets the same memory, poisoned when the block first takes it.
void* static_shared(const void* declaration, const char* name, std::size_t bytes, std::size_t alignment);
void* dynamic_shared_memory(std::size_t alignment, std::source_location site);

template <class T, std::size_t count>
using Array = T[count];

}  // namespace plume::emulator

// A static shared array `T name[count]`, at function scope.
#define PLUME_SHARED(T, name, count)                                                      \
  static constexpr char name##_declaration = 0;                                           \
  ::plume::emulator::Array<T, count>& name =                                              \
      *static_cast<::plume::emulator::Array<T, count>*>(::plume::emulator::static_shared( \
          &name##_declaration, #name, sizeof(::plume::emulator::Array<T, count>), alignof(T)))

// What -fsanitize=thread makes kernel code call at its memory accesses. Linked in place of ThreadSanitizer's own runtime,
// so that the race detector is the emulator's. Source: GCC's sanitizer.def.
#include <cstddef>
#include <cstdint>

#include "kernels/emulator/races.hpp"

using plume::emulator::Races;

// Declared by the compiler itself, with names that it reserves.
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"

#define PLUME_ACCESS(bytes)                                                          \
  void __tsan_read##bytes(void* address) {                                           \
    Races::get().aligned_access(address, bytes, false, __builtin_return_address(0)); \
  }                                                                                  \
  void __tsan_write##bytes(void* address) {                                          \
    Races::get().aligned_access(address, bytes, true, __builtin_return_address(0));  \
  }                                                                                  \
  void __tsan_unaligned_read##bytes(void* address) {                                 \
    Races::get().access(address, bytes, false, __builtin_return_address(0));         \
  }                                                                                  \
  void __tsan_unaligned_write##bytes(void* address) {                                \
    Races::get().access(address, bytes, true, __builtin_return_address(0));          \
  }

// std::shared_ptr and guards of local statics; these touch host memory, and stay what they were.
#define PLUME_ATOMIC(bits)                                                                                            \
  std::uint##bits##_t __tsan_atomic##bits##_load(const volatile std::uint##bits##_t* at, int) {                       \
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                                     \
  }                                                                                                                   \
  void __tsan_atomic##bits##_store(volatile std::uint##bits##_t* at, std::uint##bits##_t value, int) {                \
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                                                                    \
  }                                                                                                                   \
  std::uint##bits##_t __tsan_atomic##bits##_exchange(volatile std::uint##bits##_t* at, std::uint##bits##_t value,     \
                                                     int) {                                                           \
    return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);                                                          \
  }                                                                                                                   \
  std::uint##bits##_t __tsan_atomic##bits##_fetch_add(volatile std::uint##bits##_t* at, std::uint##bits##_t value,    \
                                                      int) {                                                          \
    return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);                                                           \
  }                                                                                                                   \
  std::uint##bits##_t __tsan_atomic##bits##_fetch_sub(volatile std::uint##bits##_t* at, std::uint##bits##_t value,    \
                                                      int) {                                                          \
    return __atomic_fetch_sub(at, value, __ATOMIC_SEQ_CST);                                                           \
  }                                                                                                                   \
  bool __tsan_atomic##bits##_compare_exchange_strong(volatile std::uint##bits##_t* at, std::uint##bits##_t* expected, \
                                                     std::uint##bits##_t value, int, int) {                           \
    return __atomic_compare_exchange_n(at, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);               \
  }                                                                                                                   \
  bool __tsan_atomic##bits##_compare_exchange_weak(volatile std::uint##bits##_t* at, std::uint##bits##_t* expected,   \
                                                   std::uint##bits##_t value, int, int) {                             \
    return __atomic_compare_exchange_n(at, expected, value, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                \
  }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void*) {}
void __tsan_vptr_update(void*, void*) {}
void __tsan_vptr_read(void*) {}

PLUME_ACCESS(1)
PLUME_ACCESS(2)
PLUME_ACCESS(4)
PLUME_ACCESS(8)
PLUME_ACCESS(16)

void __tsan_read_range(void* address, std::size_t bytes) {
  Races::get().access(address, bytes, false, __builtin_return_address(0));
}
void __tsan_write_range(void* address, std::size_t bytes) {
  Races::get().access(address, bytes, true, __builtin_return_address(0));
}

PLUME_ATOMIC(8)
PLUME_ATOMIC(16)
PLUME_ATOMIC(32)
PLUME_ATOMIC(64)

}  // extern "C"

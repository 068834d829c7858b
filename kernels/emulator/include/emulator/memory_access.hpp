// Loads through the read-only path, streaming accesses, atomics and fences.
#pragma once

#include <source_location>

template <class T>
T __ldg(const T* pointer) {
  return *pointer;
}
template <class T>
T __ldcs(const T* pointer) {
  return *pointer;
}
template <class T>
void __stcs(T* pointer, T value) {
  *pointer = value;
}

// Threads switch only where they wait, so that a plain read and write is atomic.
namespace plume::emulator {
void note_atomic(const void* address, int bytes);

template <class T>
T atomic_add(T* address, T value) {
  note_atomic(address, sizeof(T));
  const T old = *address;
  *address = old + value;
  return old;
}
}  // namespace plume::emulator

// Not for float: a sum whose order is left to chance is not reproducible, and our kernels must be.
inline int atomicAdd(int* address, int value) {
  return plume::emulator::atomic_add(address, value);
}
inline unsigned atomicAdd(unsigned* address, unsigned value) {
  return plume::emulator::atomic_add(address, value);
}
inline unsigned long long atomicAdd(unsigned long long* address, unsigned long long value) {
  return plume::emulator::atomic_add(address, value);
}

inline void __threadfence() {}
inline void __threadfence_block() {}

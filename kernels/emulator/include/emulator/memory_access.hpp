// Loads through the read-only path, streaming accesses, atomics and fences.
#pragma once

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

// Not for float: a sum whose order is left to chance is not reproducible, and our kernels must be.
int atomicAdd(int* address, int value);
unsigned atomicAdd(unsigned* address, unsigned value);
unsigned long long atomicAdd(unsigned long long* address, unsigned long long value);

inline void __threadfence() {}
inline void __threadfence_block() {}

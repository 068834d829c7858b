// Atomics: threads switch only where they wait, so that a plain read and write is one.
#include "emulator/memory_access.hpp"
#include "kernels/emulator/races.hpp"

namespace {

template <class T>
T add(T* address, T value) {
  plume::emulator::Races::get().atomic(address);
  const T old = *address;
  *address = old + value;
  return old;
}

}  // namespace

int atomicAdd(int* address, int value) {
  return add(address, value);
}
unsigned atomicAdd(unsigned* address, unsigned value) {
  return add(address, value);
}
unsigned long long atomicAdd(unsigned long long* address, unsigned long long value) {
  return add(address, value);
}

// Vectors of an instruction set by the compiler's own vector types, so that one body serves every set.
#pragma once

#include <cstddef>
#include <limits>

namespace plume::kernels::isa {

template <class T, int bytes>
struct VectorOf {
  using type [[gnu::vector_size(bytes), gnu::aligned(alignof(T)), gnu::may_alias]] = T;
};

// Isa is a tag with vector_bytes and registers; using it as a template argument keeps the symbols of the files that
// are compiled for different instruction sets apart.
template <class Isa, class T>
struct Vector {
  using type = typename VectorOf<T, Isa::vector_bytes>::type;
  static constexpr int lanes = Isa::vector_bytes / static_cast<int>(sizeof(T));

  static type load(const T* from) { return *reinterpret_cast<const type*>(from); }
  static void store(T* to, type value) { *reinterpret_cast<type*>(to) = value; }
};

// Below every value: what a sum is raised to where no ReLU follows. A constant, not a call that the linker could share.
template <class T>
inline constexpr T unbounded = -std::numeric_limits<T>::infinity();

}  // namespace plume::kernels::isa

// Chooses the table of backward primitives for the CPU at hand.
#include "kernels/cpu/backward_primitives.hpp"

#include "kernels/cpu/isa/tables.hpp"

namespace plume::kernels {

template <class T>
const BackwardPrimitives<T>& backward_primitives() {
  static const BackwardPrimitives<T>& table = [&]() -> const BackwardPrimitives<T>& {
    switch (chosen_instruction_set()) {
      case InstructionSet::avx512: return *isa::avx512_backward<T>();
      case InstructionSet::avx2: return *isa::avx2_backward<T>();
      case InstructionSet::portable: break;
    }
    return *isa::portable_backward<T>();
  }();
  return table;
}

template const BackwardPrimitives<float>& backward_primitives();
template const BackwardPrimitives<double>& backward_primitives();

}  // namespace plume::kernels

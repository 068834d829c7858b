// Chooses the table of 8-bit primitives for the CPU at hand.
#include "kernels/cpu/quantized/primitives.hpp"

#include "kernels/cpu/isa/quantized_tables.hpp"
#include "kernels/cpu/primitives.hpp"
#include "kernels/quantized.hpp"

namespace plume::kernels {
namespace {

bool has_vnni() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

}  // namespace

const QuantizedPrimitives& quantized_primitives() {
  static const QuantizedPrimitives& table = []() -> const QuantizedPrimitives& {
    switch (chosen_instruction_set()) {
      case InstructionSet::avx512: return has_vnni() ? *isa::quantized_avx512_vnni() : *isa::quantized_avx2();
      case InstructionSet::avx2: return *isa::quantized_avx2();
      case InstructionSet::portable: break;
    }
    return *isa::quantized_portable();
  }();
  return table;
}

std::string_view quantized_instruction_set() {
  return quantized_primitives().name;
}

}  // namespace plume::kernels

// Chooses the table of primitives for the CPU at hand.
#include "kernels/cpu/primitives.hpp"

#include <cstdlib>

#include "kernels/base/error.hpp"
#include "kernels/cpu/isa/tables.hpp"
#include "kernels/stream.hpp"

namespace plume::kernels {
namespace {

InstructionSet best_instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq")) {
    return InstructionSet::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return InstructionSet::avx2;
#endif
  return InstructionSet::portable;
}

}  // namespace

InstructionSet chosen_instruction_set() {
  const char* wish = std::getenv("PLUME_ISA");
  const InstructionSet best = best_instruction_set();
  if (wish == nullptr || *wish == '\0') return best;
  for (const auto& [name, isa] : {std::pair{"portable", InstructionSet::portable},
                                  {"avx2", InstructionSet::avx2},
                                  {"avx512", InstructionSet::avx512}}) {
    if (std::string_view(name) != wish) continue;
    if (isa > best) throw environment_error("PLUME_ISA={}: this CPU does not have it; unset it", wish);
    return isa;
  }
  throw usage_error("PLUME_ISA={}: not one of portable, avx2, avx512", wish);
}

template <class T>
const Primitives<T>& primitives() {
  static const Primitives<T>& table = [&]() -> const Primitives<T>& {
    switch (chosen_instruction_set()) {
      case InstructionSet::avx512: return *isa::avx512<T>();
      case InstructionSet::avx2: return *isa::avx2<T>();
      case InstructionSet::portable: break;
    }
    return *isa::portable<T>();
  }();
  return table;
}

std::string_view instruction_set() {
  return primitives<float>().name;
}

template const Primitives<float>& primitives();
template const Primitives<double>& primitives();

}  // namespace plume::kernels

// Stands in for the AVX files on other processors.
#include "kernels/cpu/isa/quantized_tables.hpp"

namespace plume::kernels::isa {

const QuantizedPrimitives* quantized_avx2() {
  return nullptr;
}
const QuantizedPrimitives* quantized_avx512_vnni() {
  return nullptr;
}

}  // namespace plume::kernels::isa

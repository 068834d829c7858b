// One table of 8-bit primitives per instruction set, each defined in a file compiled for it; null where it is absent.
#pragma once

#include "kernels/cpu/quantized/primitives.hpp"

namespace plume::kernels::isa {

const QuantizedPrimitives* quantized_portable();
const QuantizedPrimitives* quantized_avx2();
const QuantizedPrimitives* quantized_avx512_vnni();

}  // namespace plume::kernels::isa

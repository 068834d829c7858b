// The warp-wide matrix instructions, with the register layouts of the PTX manual (mma.m16n8k16, mma.m16n8k8, ldmatrix).
#pragma once

#include <source_location>

namespace plume::emulator {

void load_matrices(unsigned* registers, int matrices, const void* shared_row, bool transposed,
                   std::source_location site);
// d += a b for bf16 pairs: a is 16 x 16 in 4 registers, b is 16 x 8 in 2.
void multiply_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], std::source_location site);
// d += a b for tf32 (the low 13 bits of each value are ignored): a is 16 x 8 in 4 registers, b is 8 x 8 in 2.
void multiply_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], std::source_location site);

// cvt.rna.tf32.f32: to nearest, ties away from zero.
[[nodiscard]] unsigned round_to_tf32(float value);
// cvt.rn.bf16x2.f32: to nearest, ties to even; `low` in the low half.
[[nodiscard]] unsigned pack_to_bf16(float low, float high);

}  // namespace plume::emulator

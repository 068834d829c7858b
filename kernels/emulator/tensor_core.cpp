// ldmatrix and mma.sync on the host: the last lane to arrive gathers the fragments, multiplies, and scatters the result.
#include "emulator/tensor_core.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/emulator/races.hpp"
#include "kernels/emulator/report.hpp"
#include "kernels/emulator/shared_arena.hpp"
#include "kernels/emulator/warp.hpp"

namespace plume::emulator {
namespace {

constexpr unsigned all_lanes = ~0U;

struct MatrixLoad {
  unsigned* registers;
  const void* row;
  int matrices;
  bool transposed;
};

void load(unsigned, void* const (&lanes)[32]) {
  const int matrices = static_cast<const MatrixLoad*>(lanes[0])->matrices;
  const bool transposed = static_cast<const MatrixLoad*>(lanes[0])->transposed;
  for (int i = 0; i < matrices; ++i) {
    std::uint16_t matrix[8][8];
    for (int row = 0; row < 8; ++row) {
      std::memcpy(matrix[row], static_cast<const MatrixLoad*>(lanes[i * 8 + row])->row, sizeof matrix[row]);
    }
    for (int lane = 0; lane < 32; ++lane) {
      const int major = lane / 4;
      const int minor = lane % 4 * 2;
      const std::uint32_t low = transposed ? matrix[minor][major] : matrix[major][minor];
      const std::uint32_t high = transposed ? matrix[minor + 1][major] : matrix[major][minor + 1];
      static_cast<const MatrixLoad*>(lanes[lane])->registers[i] = high << 16U | low;
    }
  }
}

struct Product {
  float* d;
  const unsigned* a;
  const unsigned* b;
};

float low_bf16(unsigned pair) {
  return std::bit_cast<float>(pair << 16U);
}
float high_bf16(unsigned pair) {
  return std::bit_cast<float>(pair & 0xffff0000U);
}
float tf32(unsigned bits) {
  return std::bit_cast<float>(bits & 0xffffe000U);
}

// d (16 x 8, two rows of two neighbours per lane) += a (16 x depth) b (depth x 8).
template <int depth>
void accumulate(void* const (&lanes)[32], const float (&a)[16][depth], const float (&b)[depth][8]) {
  float d[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const float* from = static_cast<const Product*>(lanes[lane])->d;
    for (int i = 0; i < 4; ++i) d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2] = from[i];
  }
  for (int row = 0; row < 16; ++row) {
    for (int k = 0; k < depth; ++k) {
      for (int column = 0; column < 8; ++column) d[row][column] += a[row][k] * b[k][column];
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    float* to = static_cast<const Product*>(lanes[lane])->d;
    for (int i = 0; i < 4; ++i) to[i] = d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2];
  }
}

void product_bf16(unsigned, void* const (&lanes)[32]) {
  float a[16][16];
  float b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const Product& product = *static_cast<const Product*>(lanes[lane]);
    const int group = lane / 4;
    const int pair = lane % 4 * 2;
    for (int i = 0; i < 4; ++i) {
      float* to = &a[group + i % 2 * 8][pair + i / 2 * 8];
      to[0] = low_bf16(product.a[i]);
      to[1] = high_bf16(product.a[i]);
    }
    for (int i = 0; i < 2; ++i) {
      b[pair + i * 8][group] = low_bf16(product.b[i]);
      b[pair + i * 8 + 1][group] = high_bf16(product.b[i]);
    }
  }
  accumulate(lanes, a, b);
}

void product_tf32(unsigned, void* const (&lanes)[32]) {
  float a[16][8];
  float b[8][8];
  for (int lane = 0; lane < 32; ++lane) {
    const Product& product = *static_cast<const Product*>(lanes[lane]);
    for (int i = 0; i < 4; ++i) a[lane / 4 + i % 2 * 8][lane % 4 + i / 2 * 4] = tf32(product.a[i]);
    for (int i = 0; i < 2; ++i) b[lane % 4 + i * 4][lane / 4] = tf32(product.b[i]);
  }
  accumulate(lanes, a, b);
}

std::uint32_t to_bf16(float value) {
  if (std::isnan(value)) return 0x7fffU;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U;
}

}  // namespace

void load_matrices(unsigned* registers, int matrices, const void* shared_row, bool transposed,
                   std::source_location site) {
  if (static_cast<int>(lane_id()) < matrices * 8) {
    if (reinterpret_cast<std::uintptr_t>(shared_row) % 16 != 0) {
      kernel_error(site, "ldmatrix: the row's address is not 16-byte aligned");
    }
    if (!shared_arena().holds(shared_row, 16)) kernel_error(site, "ldmatrix: the row is not in shared memory");
    Races::get().access(shared_row, 16, false, __builtin_return_address(0));
  }
  MatrixLoad call{registers, shared_row, matrices, transposed};
  warp_collective(all_lanes, load, &call, "ldmatrix", site);
}

void multiply_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], std::source_location site) {
  Product call{d, a, b};
  warp_collective(all_lanes, product_bf16, &call, "mma", site);
}

void multiply_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], std::source_location site) {
  Product call{d, a, b};
  warp_collective(all_lanes, product_tf32, &call, "mma", site);
}

unsigned round_to_tf32(float value) {
  if (std::isnan(value)) return 0x7fffffffU;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isinf(value)) return bits;
  return (bits + 0x1000U) & 0xffffe000U;
}

unsigned pack_to_bf16(float low, float high) {
  return to_bf16(high) << 16U | to_bf16(low);
}

}  // namespace plume::emulator

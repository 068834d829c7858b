// The matrix instructions against sums written out, with fragments laid as the PTX manual says.
#include <bit>
#include <cmath>
#include <random>

#include "emulated.hpp"

namespace plume::tests {
namespace {

using kernels::cuda::ldmatrix_x2;
using kernels::cuda::ldmatrix_x2_trans;
using kernels::cuda::ldmatrix_x4;
using kernels::cuda::ldmatrix_x4_trans;
using kernels::cuda::mma_bf16;
using kernels::cuda::mma_tf32;
using kernels::cuda::pack_bf16;
using kernels::cuda::to_tf32;
using testing::HasSubstr;

// d (16 x 8) = a (16 x 16) b (16 x 8), all row-major floats; a and b go through shared memory as bf16.
__global__ void multiply_by_ldmatrix(const float* a, const float* b, float* d) {
  PLUME_SHARED(uint4, rows_a, 32);  // 16 rows of two 16-byte halves
  PLUME_SHARED(uint4, rows_b, 16);
  auto* words_a = reinterpret_cast<unsigned*>(rows_a);
  auto* words_b = reinterpret_cast<unsigned*>(rows_b);
  const unsigned lane = threadIdx.x;
  for (unsigned i = lane; i < 128; i += 32) words_a[i] = pack_bf16(a[2 * i], a[2 * i + 1]);
  for (unsigned i = lane; i < 64; i += 32) words_b[i] = pack_bf16(b[2 * i], b[2 * i + 1]);
  __syncwarp();
  unsigned fragment_a[4];
  unsigned fragment_b[2];
  ldmatrix_x4(fragment_a, &rows_a[lane % 16 * 2 + lane / 16]);
  ldmatrix_x2_trans(fragment_b, &rows_b[lane % 16]);
  float sum[4] = {};
  mma_bf16(sum, fragment_a, fragment_b);
  mma_bf16(sum, fragment_a, fragment_b);  // adds
  for (unsigned i = 0; i < 4; ++i) d[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = sum[i];
}

// d (16 x 8) = a (16 x 8) b (8 x 8).
__global__ void multiply_tf32(const float* a, const float* b, float* d) {
  const unsigned row = threadIdx.x / 4;
  const unsigned k = threadIdx.x % 4;
  const unsigned fragment_a[4] = {to_tf32(a[row * 8 + k]), to_tf32(a[(row + 8) * 8 + k]), to_tf32(a[row * 8 + k + 4]),
                                  to_tf32(a[(row + 8) * 8 + k + 4])};
  const unsigned fragment_b[2] = {to_tf32(b[k * 8 + row]), to_tf32(b[(k + 4) * 8 + row])};
  float sum[4] = {};
  mma_tf32(sum, fragment_a, fragment_b);
  for (unsigned i = 0; i < 4; ++i) d[(row + i / 2 * 8) * 8 + k * 2 + i % 2] = sum[i];
}

// Element i of the 8x8 matrix m is 64 m + i; what each lane's registers receive.
__global__ void load_forms(unsigned* out) {
  PLUME_SHARED(uint4, rows, 32);
  auto* elements = reinterpret_cast<unsigned short*>(rows);
  for (unsigned i = threadIdx.x; i < 256; i += 32) elements[i] = static_cast<unsigned short>(i);
  __syncwarp();
  unsigned r4[4];
  unsigned r2[2];
  ldmatrix_x4(r4, &rows[threadIdx.x]);
  for (unsigned i = 0; i < 4; ++i) out[threadIdx.x * 12 + i] = r4[i];
  ldmatrix_x4_trans(r4, &rows[threadIdx.x]);
  for (unsigned i = 0; i < 4; ++i) out[threadIdx.x * 12 + 4 + i] = r4[i];
  ldmatrix_x2(r2, threadIdx.x < 16 ? &rows[threadIdx.x] : nullptr);
  for (unsigned i = 0; i < 2; ++i) out[threadIdx.x * 12 + 8 + i] = r2[i];
  ldmatrix_x2_trans(r2, threadIdx.x < 16 ? &rows[threadIdx.x] : nullptr);
  for (unsigned i = 0; i < 2; ++i) out[threadIdx.x * 12 + 10 + i] = r2[i];
}

__global__ void misaligned_rows() {
  PLUME_SHARED(uint4, rows, 33);
  unsigned r[4];
  ldmatrix_x4(r, reinterpret_cast<const char*>(&rows[threadIdx.x]) + 4);
}

__global__ void rows_in_device_memory(const uint4* rows) {
  unsigned r[4];
  ldmatrix_x4(r, &rows[threadIdx.x]);
}

__global__ void half_a_warp_multiplies() {
  const unsigned a[4] = {};
  const unsigned b[2] = {};
  float d[4] = {};
  if (threadIdx.x < 16) mma_bf16(d, a, b);
}

float bf16_of(float x) {
  return std::bit_cast<float>(pack_bf16(0, x) & 0xffff0000U);
}
float tf32_of(float x) {
  return std::bit_cast<float>(to_tf32(x));
}

struct Product {
  std::vector<float> a, b;
  explicit Product(int depth) : a(static_cast<std::size_t>(16 * depth)), b(static_cast<std::size_t>(depth * 8)) {
    std::mt19937 random(3);
    std::uniform_real_distribution<float> value(-1, 1);
    for (float& x : a) x = value(random);
    for (float& x : b) x = value(random);
  }
  void expect(const std::vector<float>& d, float (*round)(float), float times) const {
    const std::size_t depth = b.size() / 8;
    for (std::size_t row = 0; row < 16; ++row) {
      for (std::size_t column = 0; column < 8; ++column) {
        double sum = 0;
        for (std::size_t k = 0; k < depth; ++k) sum += double{round(a[row * depth + k])} * round(b[k * 8 + column]);
        EXPECT_NEAR(d[row * 8 + column], times * sum, 1e-5) << row << ", " << column;
      }
    }
  }
};

class TensorCore : public Scheduled {};
INSTANTIATE_TEST_SUITE_P(, TensorCore, schedules(), schedule_name);

TEST_P(TensorCore, MultipliesBf16) {
  const Product product(16);
  const Device<float> a(product.a), b(product.b), d(128);
  launch<multiply_by_ldmatrix>({1, 32}, stream_, a.data(), b.data(), d.data());
  product.expect(d.values(), bf16_of, 2);
}

TEST_P(TensorCore, MultipliesTf32) {
  const Product product(8);
  const Device<float> a(product.a), b(product.b), d(128);
  launch<multiply_tf32>({1, 32}, stream_, a.data(), b.data(), d.data());
  product.expect(d.values(), tf32_of, 1);
}

TEST_P(TensorCore, LoadsMatrices) {
  const Device<unsigned> out(32 * 12);
  launch<load_forms>({1, 32}, stream_, out.data());
  const std::vector<unsigned> found = out.values();
  const auto pair = [](unsigned low, unsigned high) { return high << 16U | low; };
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned row = lane / 4;
    const unsigned column = lane % 4 * 2;
    for (unsigned m = 0; m < 4; ++m) {
      const unsigned plain = pair(64 * m + row * 8 + column, 64 * m + row * 8 + column + 1);
      const unsigned transposed = pair(64 * m + column * 8 + row, 64 * m + (column + 1) * 8 + row);
      EXPECT_EQ(found[lane * 12 + m], plain);
      EXPECT_EQ(found[lane * 12 + 4 + m], transposed);
      if (m < 2) {
        EXPECT_EQ(found[lane * 12 + 8 + m], plain);
        EXPECT_EQ(found[lane * 12 + 10 + m], transposed);
      }
    }
  }
}

TEST_F(Emulated, MatrixRowsAreSharedAndAligned) {
  EXPECT_THAT(report_of<misaligned_rows>({1, 32}), HasSubstr("the row's address is not 16-byte aligned"));
  const Device<uint4> rows(32);
  EXPECT_THAT(report_of<rows_in_device_memory>({1, 32}, rows.data()), HasSubstr("the row is not in shared memory"));
}

TEST_F(Emulated, ProductsNeedTheWholeWarp) {
  EXPECT_THAT(report_of<half_a_warp_multiplies>({1, 32}), HasSubstr("exits while lanes of its warp wait for it"));
}

TEST(Rounding, ToTf32AndBf16) {
  EXPECT_EQ(to_tf32(1.0F), 0x3f800000U);
  EXPECT_EQ(to_tf32(std::bit_cast<float>(0x3f801000U)), 0x3f802000U);  // a tie goes away from zero
  EXPECT_EQ(to_tf32(std::bit_cast<float>(0xbf801000U)), 0xbf802000U);
  EXPECT_EQ(to_tf32(std::bit_cast<float>(0x3f800fffU)), 0x3f800000U);
  EXPECT_EQ(to_tf32(INFINITY), 0x7f800000U);
  EXPECT_EQ(to_tf32(NAN), 0x7fffffffU);
  EXPECT_EQ(pack_bf16(1.0F, -2.0F), 0xc0003f80U);
  EXPECT_EQ(pack_bf16(std::bit_cast<float>(0x3f808000U), std::bit_cast<float>(0x3f818000U)), 0x3f823f80U);  // to even
  EXPECT_EQ(pack_bf16(INFINITY, NAN), 0x7fff7f80U);
}

}  // namespace
}  // namespace plume::tests

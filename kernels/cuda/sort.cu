// A stable radix sort on CUDA: a tile of pairs to a block, neighbouring pairs to a thread, one digit of the keys at a
// time.
#include <utility>

#include "kernels/cuda/prefix.cuh"
#include "kernels/cuda/sort.hpp"

namespace plume::kernels::cuda {
namespace {

inline constexpr int sort_bits = 4;  // of a key in one pass
static_assert(sort_digits == 1 << sort_bits && sort_tile == sum_threads * sort_items);

// Each value becomes the sum of those before it; values[count] the sum of all.
// one block
__global__ void __launch_bounds__(sum_threads) exclusive_sums_kernel(unsigned* values, int count) {
  const int share = (count + sum_threads - 1) / sum_threads;
  const int first = static_cast<int>(threadIdx.x) * share;
  unsigned own = 0;
  for (int i = first; i < first + share && in_bounds(i < count); ++i) own += values[i];
  const Prefix prefix = block_prefix(own);
  unsigned sum = prefix.before;
  for (int i = first; i < first + share && in_bounds(i < count); ++i) {
    const unsigned value = values[i];
    values[i] = sum;
    sum += value;
  }
  if (threadIdx.x == 0) values[count] = prefix.total;
}

// counters[digit][thread]: how many of the thread's keys have that digit.
__device__ inline void count_own_digits(unsigned* counters, const unsigned* keys, std::ptrdiff_t count, int shift) {
  for (int digit = 0; digit < sort_digits; ++digit) counters[digit * sum_threads + threadIdx.x] = 0;
  const std::ptrdiff_t first = (static_cast<std::ptrdiff_t>(blockIdx.x) * sum_threads + threadIdx.x) * sort_items;
  for (std::ptrdiff_t i = first; i < first + sort_items && in_bounds(i < count); ++i)
    ++counters[(keys[i] >> shift) % sort_digits * sum_threads + threadIdx.x];
  __syncthreads();
}

// body(digit, the counters of the lane's neighbouring threads), a warp per digit.
inline constexpr int lane_counters = sum_threads / warp_threads;
template <class Body>
__device__ void for_digits(unsigned* counters, const Body& body) {
  for (auto digit = static_cast<int>(threadIdx.x / warp_threads); digit < sort_digits;
       digit += sum_threads / warp_threads) {
    body(digit, counters + digit * sum_threads + threadIdx.x % warp_threads * lane_counters);
  }
}

__device__ inline unsigned sum_of_counters(const unsigned* own) {
  unsigned sum = 0;
  for (int i = 0; i < lane_counters; ++i) sum += own[i];
  return sum;
}

// counts[digit][tile], a block per tile.
__global__ void __launch_bounds__(sum_threads)
    count_digits(unsigned* counts, const unsigned* keys, std::ptrdiff_t count, int shift) {
  PLUME_SHARED(unsigned, counters, sort_digits* sum_threads);
  count_own_digits(counters, keys, count, shift);
  for_digits(counters, [&](int digit, const unsigned* own) {
    const unsigned sum = sum_of_counters(own);
    const unsigned before = sum_before_lane(sum);
    if (threadIdx.x % warp_threads == warp_threads - 1)
      counts[static_cast<unsigned>(digit) * gridDim.x + blockIdx.x] = before + sum;
  });
}

// Each pair goes to its place by one digit; places: what exclusive_sums made of count_digits.
__global__ void __launch_bounds__(sum_threads)
    scatter_pairs(SortPairs to, SortPairs from, const unsigned* places, std::ptrdiff_t count, int shift) {
  PLUME_SHARED(unsigned, counters, sort_digits* sum_threads);
  count_own_digits(counters, from.keys, count, shift);
  for_digits(counters, [&](int digit, unsigned* own) {
    unsigned place =
        places[static_cast<unsigned>(digit) * gridDim.x + blockIdx.x] + sum_before_lane(sum_of_counters(own));
    for (int i = 0; i < lane_counters; ++i) {
      const unsigned keys = own[i];
      own[i] = place;
      place += keys;
    }
  });
  __syncthreads();
  const std::ptrdiff_t first = (static_cast<std::ptrdiff_t>(blockIdx.x) * sum_threads + threadIdx.x) * sort_items;
  for (std::ptrdiff_t i = first; i < first + sort_items && in_bounds(i < count); ++i) {
    const unsigned key = from.keys[i];
    const unsigned place = counters[(key >> shift) % sort_digits * sum_threads + threadIdx.x]++;
    to.keys[place] = key;
    to.values[place] = from.values[i];
  }
}

}  // namespace

void exclusive_sums(unsigned* values, int count, CudaStream& stream) {
  launch<exclusive_sums_kernel>(sum_shape(1), stream, values, count);
}

void sort_pairs(SortPairs pairs, SortPairs other, unsigned* places, std::ptrdiff_t count, CudaStream& stream) {
  const int tiles = sort_tiles(count);
  for (int shift = 0; shift < 32; shift += sort_bits) {  // an even number of passes: the last one writes `pairs`
    launch<count_digits>(sum_shape(tiles), stream, places, static_cast<const unsigned*>(pairs.keys), count, shift);
    exclusive_sums(places, sort_digits * tiles, stream);
    launch<scatter_pairs>(sum_shape(tiles), stream, other, pairs, static_cast<const unsigned*>(places), count, shift);
    std::swap(pairs, other);
  }
}

}  // namespace plume::kernels::cuda

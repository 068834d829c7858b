// Ranks by MPI: this program is started several times at once, by mpiexec, and each rank runs all of it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "dist/collectives.hpp"
#include "dist/host_across.hpp"
#include "dist/open_mpi.hpp"
#include "dist/slice_sum.hpp"
#include "dist/wire.hpp"
#include "kernels/memory.hpp"

namespace plume::dist {
namespace {

Communicator* ranks = nullptr;

TEST(Mpi, KnowsItsRanks) {
  EXPECT_EQ(ranks->size(), launch().ranks);
  EXPECT_EQ(ranks->local_rank(), ranks->rank());  // all on this machine
  EXPECT_EQ(ranks->local_size(), ranks->size());
  const auto all = gathered(*ranks, ranks->rank());
  for (int rank = 0; rank < ranks->size(); ++rank) EXPECT_EQ(all[static_cast<std::size_t>(rank)], rank);
  EXPECT_FALSE(ranks->library().empty());
}

TEST(Mpi, BroadcastsText) {
  for (int root = 0; root < ranks->size(); ++root) {
    std::string text =
        ranks->rank() == root ? std::string(static_cast<std::size_t>(1000 * root), 'x') + "end" : "other";
    broadcast(*ranks, text, root);
    EXPECT_EQ(text, std::string(static_cast<std::size_t>(1000 * root), 'x') + "end");
  }
}

TEST(Mpi, SumsInTheRanksOrder) {
  const auto value = [](int rank) { return std::pow(0.1, rank) * (rank % 2 == 0 ? 1e10 : -1.0 / 3); };
  std::vector<double> values{value(ranks->rank()), 1};
  sum(*ranks, std::span(values));
  double expected = value(0);
  for (int rank = 1; rank < ranks->size(); ++rank) expected += value(rank);
  EXPECT_EQ(values[0], expected);
  EXPECT_EQ(values[1], ranks->size());
}

TEST(Mpi, CountsTheCollectivesThatItJoined) {
  Pulse pulse;
  Pulse* const before = ranks->pulse();
  ranks->watch(&pulse);
  barrier(*ranks);
  std::string text = "x";
  broadcast(*ranks, text);
  ranks->watch(before);
  EXPECT_EQ(pulse.begun.load(), 3);
  EXPECT_EQ(pulse.waiting.load(), 0);
}

// Each rank's values, the same to every rank that asks.
std::vector<float> values_of(int rank, std::size_t count) {
  std::mt19937 draw(static_cast<unsigned>(rank) + 17);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(draw);
  return values;
}

template <class Wire>
std::vector<float> expected_sum(std::size_t count) {
  std::vector<float> sum(count);
  for (int rank = 0; rank < ranks->size(); ++rank) {
    const auto values = values_of(rank, count);
    for (std::size_t i = 0; i < count; ++i) {
      const float travelled = Wire::unpack(Wire::pack(values[i]));
      sum[i] = rank == 0 ? travelled : sum[i] + travelled;
    }
  }
  for (float& value : sum) value = Wire::unpack(Wire::pack(value));
  return sum;
}

// In the stream's memory, and back.
class OnStream {
 public:
  OnStream(const std::vector<float>& values, kernels::Stream& stream)
      : stream_(stream),
        count_(values.size()),
        memory_(std::visit([&](auto& s) { return kernels::allocate(bytes(), s); }, stream)) {
    std::visit([&](auto& s) { kernels::upload(memory_.data(), values.data(), bytes(), s); }, stream);
  }
  [[nodiscard]] float* data() const { return reinterpret_cast<float*>(memory_.data()); }
  [[nodiscard]] std::vector<float> read() const {
    std::vector<float> values(count_);
    std::visit([&](auto& s) { kernels::download(values.data(), memory_.data(), bytes(), s); }, stream_);
    return values;
  }

 private:
  [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(float); }
  kernels::Stream& stream_;
  std::size_t count_;
  kernels::Memory memory_;
};

kernels::Stream make_stream() {
  if (kernels::cuda_device_count() > 0) return kernels::CudaStream();
  return kernels::CpuStream(1);
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

template <class Wire>
void expect_sums(dist::Wire wire) {
  kernels::Stream stream = make_stream();
  constexpr std::size_t count = 70'001;
  const std::vector<float> expected = expected_sum<Wire>(count);
  for (const std::size_t piece : {std::size_t{1000}, std::size_t{33'333}, count}) {
    for (const bool wait : {false, true}) {
      const OnStream values(values_of(ranks->rank(), count), stream);
      const auto sum = host_sum(*ranks, values.data(), stream, wire);
      for (std::size_t end = count; end > 0;) {
        const std::size_t first = end > piece ? end - piece : 0;
        sum->begin(first, end - first);
        end = first;
        if (wait) sum->finish();
        sum->advance();
      }
      sum->finish();
      EXPECT_TRUE(same_bits(values.read(), expected)) << "slices of " << piece;
    }
  }
}

TEST(HostSum, IsTheSumInTheRanksOrder) {
  expect_sums<WireF32>(Wire::f32);
}

TEST(HostSum, In16BitsRoundsBeforeAndAfter) {
  expect_sums<WireBf16>(Wire::bf16);
  expect_sums<WireF16>(Wire::f16);
}

TEST(HostSum, OfFewerValuesThanRanks) {
  kernels::Stream stream = make_stream();
  const OnStream values(values_of(ranks->rank(), 2), stream);
  const auto sum = host_sum(*ranks, values.data(), stream, Wire::f32);
  sum->begin(0, 1);
  sum->begin(1, 1);
  sum->finish();
  EXPECT_TRUE(same_bits(values.read(), expected_sum<WireF32>(2)));
}

TEST(HostMean, DividesBefore) {
  kernels::Stream stream = make_stream();
  const float huge = 3e38F;
  const OnStream values({huge, 1}, stream);
  const auto mean = host_mean(*ranks, values.data(), stream);
  mean->begin(0, 2);
  mean->finish();
  EXPECT_NEAR(values.read()[0] / huge, 1, 1e-6);
  EXPECT_NEAR(values.read()[1], 1, 1e-6);
}

TEST(HostAcross, SumsInTheStreamsMemory) {
  kernels::Stream stream = make_stream();
  const auto across = host_across(*ranks);
  std::vector<double> values{1.0 * ranks->rank(), 2};
  std::visit(
      [&](auto& concrete) {
        const kernels::Memory memory = kernels::allocate(2 * sizeof(double), concrete);
        kernels::upload(memory.data(), values.data(), memory.size(), concrete);
        across->sum(reinterpret_cast<double*>(memory.data()), 2, concrete);
        kernels::download(values.data(), memory.data(), 2 * sizeof(double), concrete);
      },
      stream);
  EXPECT_EQ(values[0], ranks->size() * (ranks->size() - 1) / 2);
  EXPECT_EQ(values[1], 2 * ranks->size());
}

}  // namespace
}  // namespace plume::dist

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto communicator = plume::dist::open_mpi(plume::dist::launch(), nullptr);
  plume::dist::ranks = communicator.get();
  return RUN_ALL_TESTS();
}

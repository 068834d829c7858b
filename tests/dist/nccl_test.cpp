// Sums between GPUs by NCCL: at once, recorded and replayed, and when a peer is killed. One body for the emulator and for GPUs.
#include "dist/nccl.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "../expect_error.hpp"
#include "dist/collectives.hpp"
#include "dist/nccl_sum.hpp"
#include "dist/own_gpu.hpp"
#include "dist/wire.hpp"
#include "in_ranks.hpp"
#include "kernels/cuda/graph.hpp"
#include "kernels/memory.hpp"
#include "nccl_groups.hpp"

namespace plume::tests {
namespace {

using dist::Communicator;

constexpr std::size_t count = 70'001;

class Nccl : public testing::Test {
 protected:
  void SetUp() override {
    if (group_sizes().empty()) GTEST_SKIP() << "no GPU, or no NCCL";
  }
};

// One rank's GPU and group.
struct Member {
  explicit Member(Communicator& communicator, double deadline = 60)
      : stream(dist::own_gpu(communicator, kernels::cuda_device_count())),
        group(dist::open_nccl(communicator, stream, deadline)) {}

  kernels::CudaStream stream;
  std::unique_ptr<dist::NcclGroup> group;
};

class Values {
 public:
  Values(const std::vector<float>& values, kernels::CudaStream& stream)
      : stream_(stream), memory_(kernels::allocate(values.size() * sizeof(float), stream)) {
    set(values);
  }
  void set(const std::vector<float>& values) {
    kernels::upload(memory_.data(), values.data(), memory_.size(), stream_);
    stream_.synchronize();
  }
  [[nodiscard]] float* data() const { return reinterpret_cast<float*>(memory_.data()); }
  [[nodiscard]] std::vector<float> read() const {
    std::vector<float> values(memory_.size() / sizeof(float));
    kernels::download(values.data(), memory_.data(), memory_.size(), stream_);
    return values;
  }

 private:
  kernels::CudaStream& stream_;
  kernels::Memory memory_;
};

// A rank's values, the same to every rank that asks.
std::vector<float> values_of(int rank, int round = 0) {
  std::mt19937 draw(static_cast<unsigned>(100 * round + rank) + 17);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(draw);
  return values;
}

// The sum, and by how much its last bits may differ: NCCL's order is its own, and in 16 bits it rounds each addition.
template <class Wire>
void expect_sum(const std::vector<float>& found, int ranks, int round = 0, float divisor = 1) {
  constexpr double epsilon = std::is_same_v<Wire, dist::WireF32>   ? 0x1p-23
                             : std::is_same_v<Wire, dist::WireF16> ? 0x1p-10
                                                                   : 0x1p-7;
  std::vector<double> sum(count);
  std::vector<double> size(count);
  for (int rank = 0; rank < ranks; ++rank) {
    const auto values = values_of(rank, round);
    for (std::size_t i = 0; i < count; ++i) {
      sum[i] += static_cast<double>(Wire::unpack(Wire::pack(values[i])));
      size[i] += std::abs(static_cast<double>(values[i]));
    }
  }
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (std::abs(static_cast<double>(found[i]) - sum[i] / divisor) > epsilon * ranks * size[i] + 1e-30) ++wrong;
  EXPECT_EQ(wrong, 0U) << "of " << count << ", " << ranks << " ranks";
}

// All slices, from the end to the beginning as backward goes.
void begin_slices(dist::SliceSum& sum, std::size_t piece) {
  for (std::size_t end = count; end > 0;) {
    const std::size_t first = end > piece ? end - piece : 0;
    sum.begin(first, end - first);
    sum.advance();
    end = first;
  }
}

bool same_on_all(Communicator& communicator, const std::vector<float>& values) {
  const std::string own(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  std::string leaders = own;
  dist::broadcast(communicator, leaders);
  return leaders == own;
}

template <class Wire>
void sum_slices(Communicator& communicator, dist::Wire wire) {
  Member member(communicator);
  Values values(values_of(communicator.rank()), member.stream);
  for (const std::size_t piece : {std::size_t{30'000}, count}) {
    values.set(values_of(communicator.rank()));
    const auto sum = dist::nccl_sum(*member.group, values.data(), wire, "bucket");
    begin_slices(*sum, piece);
    sum->finish();
    member.group->settle();
    const auto found = values.read();
    expect_sum<Wire>(found, communicator.size());
    EXPECT_TRUE(same_on_all(communicator, found));
  }
}

TEST_F(Nccl, SumsSlices) {
  for (const int size : group_sizes()) {
    in_ranks(size, [](Communicator& c) { sum_slices<dist::WireF32>(c, dist::Wire::f32); });
    in_ranks(size, [](Communicator& c) { sum_slices<dist::WireBf16>(c, dist::Wire::bf16); });
    in_ranks(size, [](Communicator& c) { sum_slices<dist::WireF16>(c, dist::Wire::f16); });
  }
}

TEST_F(Nccl, MakesMeans) {
  for (const int size : group_sizes())
    in_ranks(size, [](Communicator& communicator) {
      Member member(communicator);
      const Values values(values_of(communicator.rank()), member.stream);
      const auto mean = dist::nccl_mean(*member.group, values.data(), "statistics");
      mean->begin(0, count);
      mean->finish();
      member.group->settle();
      expect_sum<dist::WireF32>(values.read(), communicator.size(), 0, static_cast<float>(communicator.size()));
    });
}

TEST_F(Nccl, SumsOfLayersAreInF64) {
  for (const int size : group_sizes())
    in_ranks(size, [](Communicator& communicator) {
      Member member(communicator);
      const auto across = dist::nccl_across(*member.group);
      std::vector<double> values{1 + std::ldexp(1.0, -40), static_cast<double>(communicator.rank())};
      const kernels::Memory memory = kernels::allocate(2 * sizeof(double), member.stream);
      kernels::upload(memory.data(), values.data(), memory.size(), member.stream);
      across->sum(reinterpret_cast<double*>(memory.data()), 2, member.stream);
      member.group->settle();
      kernels::download(values.data(), memory.data(), memory.size(), member.stream);
      const int ranks = communicator.size();
      EXPECT_EQ(values[0], ranks * (1 + std::ldexp(1.0, -40)));
      EXPECT_EQ(values[1], ranks * (ranks - 1) / 2);
    });
}

// As in a training step: the sums run beside what else is recorded, and its end comes after them.
TEST_F(Nccl, IsRecordedAndReplayed) {
  for (const int size : group_sizes())
    for (const dist::Wire wire : {dist::Wire::f32, dist::Wire::bf16})
      in_ranks(size, [wire](Communicator& communicator) {
        Member member(communicator);
        Values values(values_of(communicator.rank()), member.stream);
        const Values copy(std::vector<float>(count), member.stream);
        const auto sum = dist::nccl_sum(*member.group, values.data(), wire, "bucket");
        const auto across = dist::nccl_across(*member.group);
        const kernels::Memory statistic = kernels::allocate(sizeof(double), member.stream);
        const auto step = [&] {
          sum->begin(40'000, count - 40'000);
          across->sum(reinterpret_cast<double*>(statistic.data()), 1, member.stream);
          sum->begin(0, 40'000);
          sum->finish();
          kernels::copy_bytes(copy.data(), values.data(), count * sizeof(float), member.stream);
        };
        kernels::fill_zero(statistic.data(), statistic.size(), member.stream);
        step();
        member.group->settle();
        kernels::StreamGraph graph(member.stream, step);
        for (int round = 1; round < 4; ++round) {
          values.set(values_of(communicator.rank(), round));
          const double one = 1;
          kernels::upload(statistic.data(), &one, sizeof one, member.stream);
          graph.launch(member.stream);
          member.group->settle();
          if (wire == dist::Wire::f32)
            expect_sum<dist::WireF32>(copy.read(), communicator.size(), round);
          else
            expect_sum<dist::WireBf16>(copy.read(), communicator.size(), round);
          double total = 0;
          kernels::download(&total, statistic.data(), sizeof total, member.stream);
          EXPECT_EQ(total, communicator.size());
        }
      });
}

// The others do not wait for ever, and say for what they waited.
TEST_F(Nccl, EndsInTimeWhereAPeerWasKilled) {
  const int size = group_sizes().back();
  if (size == 1) GTEST_SKIP() << "takes two GPUs";
  for (const bool replayed : {false, true}) {
    const auto start = std::chrono::steady_clock::now();
    const auto outcomes = outcomes_of(size, [replayed](Communicator& communicator) {
      constexpr double deadline = 3;
      Member member(communicator, deadline);
      const Values values(values_of(communicator.rank()), member.stream);
      const auto sum = dist::nccl_sum(*member.group, values.data(), dist::Wire::f32, "gradient bucket");
      const auto step = [&] {
        begin_slices(*sum, 30'000);
        sum->finish();
      };
      step();
      member.group->settle();
      std::optional<kernels::StreamGraph> graph;
      if (replayed) graph.emplace(member.stream, step);
      dist::barrier(communicator);
      if (communicator.rank() == 1) ::raise(SIGKILL);
      expect_error(
          ErrorKind::environment,
          [&] {
            if (replayed)
              graph->launch(member.stream);
            else
              step();
            member.group->settle();
          },
          "NCCL cannot", "gradient bucket");
      EXPECT_EQ(communicator.pulse()->waiting.load(), 0);
    });
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(40));
    for (int rank = 0; rank < size; ++rank) {
      const RankOutcome& outcome = outcomes[static_cast<std::size_t>(rank)];
      EXPECT_EQ(outcome.exit_code, rank == 1 ? 128 + SIGKILL : 0) << outcome.error;
    }
  }
}

}  // namespace
}  // namespace plume::tests

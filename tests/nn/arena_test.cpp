// The arena: plans without overlap, the same addresses every step, and no step off its plan.
#include "nn/arena.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "../expect_error.hpp"
#include "kernels/base/philox.hpp"
#include "small_network.hpp"

// AddressSanitizer, where it is linked, reads this: running out of memory gives null, as without it, and no abort.
extern "C" const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}  // NOLINT

namespace plume::nn::tests {
namespace {

// Allocations with random sizes and lifetimes on one clock.
std::vector<Allocation> random_lifetimes(std::uint64_t seed) {
  Philox random(seed, 0);
  std::vector<Allocation> all;
  std::vector<std::size_t> alive;
  const std::size_t events = 2 + random.below(200);
  for (std::size_t clock = 0; clock < events; ++clock) {
    if (!alive.empty() && random.below(2) == 0) {
      const auto pick = alive.begin() + random.below(static_cast<std::uint32_t>(alive.size()));
      all[*pick].death = clock;
      alive.erase(pick);
    } else {
      alive.push_back(all.size());
      all.push_back({fmt::format("a{}", all.size()), random.below(5000), clock, SIZE_MAX, 0});
    }
  }
  return all;
}

TEST(ArenaPlan, NeverGivesTwoLivingTheSameMemory) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const MemoryPlan plan = plan_memory(random_lifetimes(seed));
    for (std::size_t i = 0; i < plan.allocations.size(); ++i) {
      const Allocation& a = plan.allocations[i];
      EXPECT_EQ(a.offset % 64, 0U);
      EXPECT_LE(a.offset + a.bytes, plan.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        const Allocation& b = plan.allocations[j];
        const bool together = a.birth < b.death && b.birth < a.death;
        const bool overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
        ASSERT_FALSE(together && overlap) << "seed " << seed << ": " << a.name << " and " << b.name;
      }
    }
  }
}

// Not below what is alive at once, and for one after another no more than the largest.
TEST(ArenaPlan, ReusesMemory) {
  std::vector<Allocation> queue;
  for (std::size_t i = 0; i < 10; ++i) queue.push_back({"a", 1000 + 64 * i, 2 * i, 2 * i + 1, 0});
  EXPECT_EQ(plan_memory(queue).bytes, 1600U);
}

// Sizes of a step's allocations, each freed two later; where they lay comes back.
std::vector<std::byte*> run_step(Arena& arena, const std::vector<std::size_t>& sizes, std::size_t keep = 2) {
  std::vector<std::byte*> places;
  std::vector<Block> alive;
  arena.begin("step");
  for (const std::size_t size : sizes) {
    alive.push_back(arena.allocate(size, fmt::format("{} bytes", size)));
    places.push_back(alive.back().data());
    std::fill_n(places.back(), size, std::byte{1});
    if (alive.size() > keep) alive.erase(alive.begin());
  }
  alive.clear();
  arena.end();
  return places;
}

TEST(Arena, GivesTheSameAddressesFromTheSecondStepOn) {
  Arena arena;
  const std::vector<std::size_t> sizes{1000, 64, 5000, 1, 700, 700, 4096};
  run_step(arena, sizes);
  const auto second = run_step(arena, sizes);
  EXPECT_EQ(run_step(arena, sizes), second);
  for (const std::byte* place : second) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(place) % 64, 0U);
}

TEST(Arena, RefusesAStepThatDepartsFromItsPlan) {
  const std::vector<std::size_t> sizes{1000, 64, 5000};
  const auto second_step = [&](std::vector<std::size_t> other, std::size_t keep) {
    Arena arena;
    run_step(arena, sizes);
    run_step(arena, other, keep);
  };
  EXPECT_NO_THROW(second_step(sizes, 2));
  EXPECT_THROW(second_step({1000, 65, 5000}, 2), std::logic_error);
  EXPECT_THROW(second_step({1000, 64, 5000, 8}, 2), std::logic_error);
}

TEST(Arena, RefusesATensorKeptLongerThanPlanned) {
  Arena arena;
  const std::vector<std::size_t> sizes{1000, 1000, 1000, 1000};
  run_step(arena, sizes, 1);
  EXPECT_THROW(run_step(arena, sizes, 4), std::logic_error);
}

TEST(Arena, RefusesAStepInsideAStep) {
  Arena arena;
  arena.begin("outer");
  EXPECT_THROW(arena.begin("inner"), std::logic_error);
}

// A block from before the step may be freed within it.
TEST(Arena, LetsOlderBlocksGoDuringAStep) {
  Arena arena;
  Block older = arena.allocate(100, "older");
  for (int step = 0; step < 3; ++step) {
    arena.begin("step");
    const Block own = arena.allocate(10, "own");
    older = Block();
    arena.end();
  }
  EXPECT_EQ(arena.plan("step")->allocations.size(), 1U);
}

TEST(Arena, SaysWhatFillsTheMemoryWhereItRunsOut) {
  Arena arena;
  arena.begin("step");
  const Block small = arena.allocate(1000, "encoder.0");
  plume::tests::expect_error(
      ErrorKind::environment, [&] { (void)arena.allocate(std::size_t{1} << 60, "decoder.3"); }, "decoder.3",
      "encoder.0");
}

// A training step of the small network; its plan.
MemoryPlan step_plan(Arena& arena, bool dry, double* value = nullptr) {
  SmallNetwork network(DType::f32);
  kernels::Stream stream = kernels::CpuStream(1);
  Tape tape;
  arena.begin("train", dry);
  const double result = network.step({stream, arena, &tape, true, dry}, 3);
  arena.end();
  if (value) *value = result;
  return *arena.plan("train");
}

TEST(Arena, CountsADryStepAsARealOne) {
  Arena one;
  Arena other;
  const MemoryPlan dry = step_plan(one, true);
  const MemoryPlan real = step_plan(other, false);
  ASSERT_EQ(dry.allocations.size(), real.allocations.size());
  EXPECT_EQ(dry.bytes, real.bytes);
  for (std::size_t i = 0; i < dry.allocations.size(); ++i) {
    EXPECT_EQ(dry.allocations[i].name, real.allocations[i].name);
    EXPECT_EQ(dry.allocations[i].bytes, real.allocations[i].bytes);
    EXPECT_EQ(dry.allocations[i].birth, real.allocations[i].birth);
    EXPECT_EQ(dry.allocations[i].death, real.allocations[i].death);
  }
}

// The recorded step, on the heap, and the planned one, in the slab, compute the same.
TEST(Arena, ChangesNoResult) {
  Arena arena;
  double recorded = 0;
  double planned = 1;
  step_plan(arena, false, &recorded);
  step_plan(arena, false, &planned);
  EXPECT_EQ(recorded, planned);
}

TEST(ArenaPlan, DescribesThePeak) {
  const MemoryPlan plan =
      plan_memory({{"large", 3 << 20, 0, 3, 0}, {"small", 1 << 20, 1, 2, 0}, {"late", 1 << 20, 3, 4, 0}});
  const std::string text = describe(plan, 5);
  EXPECT_NE(text.find("3.00  large"), std::string::npos) << text;
  EXPECT_NE(text.find("4.00  alive"), std::string::npos) << text;
  EXPECT_EQ(text.find("late"), std::string::npos) << text;
}

}  // namespace
}  // namespace plume::nn::tests

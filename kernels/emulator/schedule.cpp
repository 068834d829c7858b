// Schedules and their random numbers.
#include "kernels/emulator/schedule.hpp"

#include <charconv>
#include <cstdlib>

#include "kernels/base/error.hpp"

namespace plume::emulator {
namespace {

struct State {
  Schedule schedule;
  std::uint64_t counter = 0;
};

State& state() {
  static State state = [] {
    const char* text = std::getenv("PLUME_EMULATOR_SCHEDULE");
    return State{text == nullptr ? Schedule{} : Schedule::parse(text), 0};
  }();
  return state;
}

// SplitMix64 (Steele, Lea and Flood, 2014).
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

}  // namespace

Schedule Schedule::parse(std::string_view text) {
  if (text == "forward") return {Order::forward, 0};
  if (text == "reverse") return {Order::reverse, 0};
  if (text == "warp") return {Order::warp, 0};
  constexpr std::string_view prefix = "seed:";
  if (text.starts_with(prefix)) {
    const std::string_view digits = text.substr(prefix.size());
    std::uint64_t seed = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
    if (error == std::errc() && end == digits.data() + digits.size() && !digits.empty()) return {Order::seeded, seed};
  }
  throw usage_error("PLUME_EMULATOR_SCHEDULE is forward, reverse, warp or seed:N, not '{}'", text);
}

const Schedule& schedule() {
  return state().schedule;
}

void set_schedule(const Schedule& schedule) {
  state() = {schedule, 0};
}

std::uint64_t random_below(std::uint64_t bound) {
  State& now = state();
  return mix(now.schedule.seed + ++now.counter * 0x9e3779b97f4a7c15U) % bound;
}

}  // namespace plume::emulator

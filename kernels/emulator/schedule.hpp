// The order in which ready threads, blocks and streams run (PLUME_EMULATOR_SCHEDULE).
#pragma once

#include <cstdint>
#include <string_view>

namespace plume::emulator {

// forward and reverse go round by index; warp runs one warp as far as it goes; seeded chooses at every switch.
enum class Order { forward, reverse, warp, seeded };

struct Schedule {
  Order order = Order::forward;
  std::uint64_t seed = 0;

  // "forward", "reverse", "warp" or "seed:N"; throws usage_error.
  static Schedule parse(std::string_view text);
};

// The one in force: from the environment, until a test sets another.
[[nodiscard]] const Schedule& schedule();
void set_schedule(const Schedule& schedule);

// Uniform in [0, bound); restarts with set_schedule, so that a run repeats.
[[nodiscard]] std::uint64_t random_below(std::uint64_t bound);

}  // namespace plume::emulator

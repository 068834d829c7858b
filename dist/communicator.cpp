// Waiting for others, and the group of one.
#include "dist/communicator.hpp"

#include <sched.h>

#include <cstring>
#include <optional>

namespace plume::dist {
namespace {

class Done : public Pending {
 public:
  bool done() override { return true; }
};

class Single : public Communicator {
 public:
  Single() : Communicator(0, 1, 0, 1) {}
  [[nodiscard]] std::string_view library() const override { return "none"; }

 private:
  std::unique_ptr<Pending> begin_broadcast(void*, std::size_t, int) override { return std::make_unique<Done>(); }
  std::unique_ptr<Pending> begin_all_gather(const void* own, void* all, std::size_t bytes) override {
    std::memcpy(all, own, bytes);
    return std::make_unique<Done>();
  }
  std::unique_ptr<Pending> begin_exchange(const void* from, const std::vector<Piece>& sent, void* to,
                                          const std::vector<Piece>& received) override {
    std::memcpy(static_cast<std::byte*>(to) + received[0].offset, static_cast<const std::byte*>(from) + sent[0].offset,
                sent[0].bytes);
    return std::make_unique<Done>();
  }
  std::unique_ptr<Pending> begin_share(void*, const std::vector<Piece>&) override { return std::make_unique<Done>(); }
};

}  // namespace

// Spins at first, for others come within microseconds as a rule; then leaves the core to who may need it, as where there
// are more ranks than cores.
void Communicator::finish(Pending& pending) {
  constexpr int spins = 1000;
  std::optional<Waiting> waiting;
  for (int i = 0; !pending.done(); ++i) {
    if (i == 0) waiting.emplace(pulse_);
    if (i < spins) continue;
    waiting->look();
    sched_yield();
  }
}

std::unique_ptr<Communicator> single() {
  return std::make_unique<Single>();
}

}  // namespace plume::dist

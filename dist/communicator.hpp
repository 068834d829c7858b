// The processes that train together ("ranks"), and the few things that they do with each other's host memory. All else
// is made of these, in an order of its own, so that results hang on the number of ranks alone and on no library.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "dist/pulse.hpp"

namespace plume::dist {

// A piece of memory in bytes: where it begins in a buffer, and how long it is.
struct Piece {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

// A collective that was begun; its memory must stay until it is done.
class Pending {
 public:
  virtual ~Pending() = default;
  // Whether it is done, and moves it on. May be asked again afterwards.
  [[nodiscard]] virtual bool done() = 0;
};

// Every rank calls the same functions in the same order, with sizes that fit each other. What fails among ranks ends the
// process group: there is no way back from half a collective.
class Communicator {
 public:
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  // Among the ranks of this machine.
  [[nodiscard]] int local_rank() const { return local_rank_; }
  [[nodiscard]] int local_size() const { return local_size_; }
  // Of the library behind it, for people.
  [[nodiscard]] virtual std::string_view library() const = 0;

  // Waits: the root's bytes are everyone's.
  void broadcast(void* data, std::size_t bytes, int root = 0) {
    constexpr std::size_t most = std::size_t{1} << 30;  // MPI counts in int
    for (std::size_t from = 0; from == 0 || from < bytes; from += most)
      finish(*joined(begin_broadcast(static_cast<std::byte*>(data) + from, std::min(most, bytes - from), root)));
  }
  // Waits: `all` holds the bytes of each rank, in their order.
  void all_gather(const void* own, void* all, std::size_t bytes) { finish(*joined(begin_all_gather(own, all, bytes))); }

  // Rank r's piece `sent[q]` goes to rank q, as its `received[r]`. Begun in one order on all ranks; those of the other
  // kinds may be between them in any order.
  [[nodiscard]] std::unique_ptr<Pending> exchange(const void* from, const std::vector<Piece>& sent, void* to,
                                                  const std::vector<Piece>& received) {
    return joined(begin_exchange(from, sent, to, received));
  }
  // data's `pieces[r]` of rank r is everyone's. Begun in one order on all ranks, as above.
  [[nodiscard]] std::unique_ptr<Pending> share(void* data, const std::vector<Piece>& pieces) {
    return joined(begin_share(data, pieces));
  }
  // Waits for what was begun.
  void finish(Pending& pending);

  // Where it marks what it waits for; null: nowhere.
  void watch(Pulse* pulse) { pulse_ = pulse; }
  [[nodiscard]] Pulse* pulse() const { return pulse_; }

 protected:
  Communicator(int rank, int size, int local_rank, int local_size)
      : rank_(rank), size_(size), local_rank_(local_rank), local_size_(local_size) {}

 private:
  virtual std::unique_ptr<Pending> begin_broadcast(void* data, std::size_t bytes, int root) = 0;
  virtual std::unique_ptr<Pending> begin_all_gather(const void* own, void* all, std::size_t bytes) = 0;
  virtual std::unique_ptr<Pending> begin_exchange(const void* from, const std::vector<Piece>& sent, void* to,
                                                  const std::vector<Piece>& received) = 0;
  virtual std::unique_ptr<Pending> begin_share(void* data, const std::vector<Piece>& pieces) = 0;

  // One who has not come so far is the one that the others wait for.
  std::unique_ptr<Pending> joined(std::unique_ptr<Pending> pending) {
    if (pulse_ != nullptr) ++pulse_->begun;
    return pending;
  }

  int rank_;
  int size_;
  int local_rank_;
  int local_size_;
  Pulse* pulse_ = nullptr;
};

// One process alone.
[[nodiscard]] std::unique_ptr<Communicator> single();

}  // namespace plume::dist

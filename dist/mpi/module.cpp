// A Communicator on MPI 3's C interface, which MPICH, ParaStationMPI and OpenMPI share. Source: MPI: A Message-Passing
// Interface Standard, version 3.1, chapters 5 (collectives), 6 (groups) and 8 (start-up).
#include "dist/mpi/module.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <limits>
#include <string>

#include "kernels/base/error.hpp"

namespace plume::dist {
namespace {

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw environment_error("MPI cannot {}: {}", what, std::string(text.data(), static_cast<std::size_t>(length)));
}

int count_of(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw environment_error("MPI counts no {} bytes at once; choose a smaller dist.bucket", bytes);
  return static_cast<int>(bytes);
}

// As MPI wants pieces: two lists, which must live as long as what was begun with them.
struct Lists {
  std::vector<int> counts;
  std::vector<int> offsets;

  explicit Lists(const std::vector<Piece>& pieces) {
    for (const Piece& piece : pieces) {
      counts.push_back(count_of(piece.bytes));
      offsets.push_back(count_of(piece.offset));
    }
  }
};

class Request : public Pending {
 public:
  Request() = default;
  explicit Request(std::vector<Lists> lists) : lists_(std::move(lists)) {}
  [[nodiscard]] bool done() override {
    int flag = 0;
    check(MPI_Test(&request, &flag, MPI_STATUS_IGNORE), "exchange");
    return flag != 0;
  }
  [[nodiscard]] const Lists& list(std::size_t i) const { return lists_[i]; }
  MPI_Request request = MPI_REQUEST_NULL;

 private:
  std::vector<Lists> lists_;
};

class Mpi : public Communicator {
 public:
  struct Place {
    int rank = 0;
    int size = 1;
    int local_rank = 0;
    int local_size = 1;
  };

  explicit Mpi(Place place) : Communicator(place.rank, place.size, place.local_rank, place.local_size) {
    // Each kind has an order of its own, so that ranks may begin them in different turns.
    for (MPI_Comm* group : {&values_, &exchanges_, &shares_, &ends_}) {
      check(MPI_Comm_dup(MPI_COMM_WORLD, group), "make a group");
      MPI_Comm_set_errhandler(*group, MPI_ERRORS_RETURN);
    }
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    MPI_Get_library_version(text.data(), &length);
    library_ = text.data();
    library_.resize(std::min(library_.find('\n'), library_.size()));  // MPICH tells its whole configuration
    std::replace(library_.begin(), library_.end(), '\t', ' ');
  }
  // MPI's end waits for all. After an error others may be in the middle of something, and the process ends without it.
  ~Mpi() override {
    if (std::uncaught_exceptions() > errors_before_ && !all_end()) return;
    for (MPI_Comm* group : {&values_, &exchanges_, &shares_, &ends_}) MPI_Comm_free(group);
    MPI_Finalize();
  }
  [[nodiscard]] std::string_view library() const override { return library_; }

 private:
  std::unique_ptr<Pending> begin_broadcast(void* data, std::size_t bytes, int root) override {
    auto pending = std::make_unique<Request>();
    check(MPI_Ibcast(data, count_of(bytes), MPI_BYTE, root, values_, &pending->request), "broadcast");
    return pending;
  }
  std::unique_ptr<Pending> begin_all_gather(const void* own, void* all, std::size_t bytes) override {
    auto pending = std::make_unique<Request>();
    const int count = count_of(bytes);
    check(MPI_Iallgather(own, count, MPI_BYTE, all, count, MPI_BYTE, values_, &pending->request), "gather");
    return pending;
  }
  std::unique_ptr<Pending> begin_exchange(const void* from, const std::vector<Piece>& sent, void* to,
                                          const std::vector<Piece>& received) override {
    auto pending = std::make_unique<Request>(std::vector<Lists>{Lists(sent), Lists(received)});
    const Lists& out = pending->list(0);
    const Lists& in = pending->list(1);
    check(MPI_Ialltoallv(from, out.counts.data(), out.offsets.data(), MPI_BYTE, to, in.counts.data(), in.offsets.data(),
                         MPI_BYTE, exchanges_, &pending->request),
          "exchange");
    return pending;
  }
  std::unique_ptr<Pending> begin_share(void* data, const std::vector<Piece>& pieces) override {
    auto pending = std::make_unique<Request>(std::vector<Lists>{Lists(pieces)});
    const Lists& list = pending->list(0);
    check(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_BYTE, data, list.counts.data(), list.offsets.data(), MPI_BYTE, shares_,
                          &pending->request),
          "share");
    return pending;
  }

  // Whether all ranks come here too, as where they all have found the same error; or one of them in vain.
  bool all_end() const {
    using Clock = std::chrono::steady_clock;
    MPI_Request request = MPI_REQUEST_NULL;
    int ended = MPI_Ibarrier(ends_, &request) == MPI_SUCCESS ? 0 : -1;
    for (const auto start = Clock::now(); ended == 0 && Clock::now() - start < std::chrono::seconds(1);)
      if (MPI_Test(&request, &ended, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    return ended > 0;
  }

  MPI_Comm values_ = MPI_COMM_NULL;
  MPI_Comm exchanges_ = MPI_COMM_NULL;
  MPI_Comm shares_ = MPI_COMM_NULL;
  MPI_Comm ends_ = MPI_COMM_NULL;
  std::string library_;
  int errors_before_ = std::uncaught_exceptions();
};

Communicator* make() {
  int level = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level), "start");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  Mpi::Place place;
  MPI_Comm_rank(MPI_COMM_WORLD, &place.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &place.size);
  MPI_Comm machine = MPI_COMM_NULL;
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, place.rank, MPI_INFO_NULL, &machine),
        "find the ranks of this machine");
  MPI_Comm_rank(machine, &place.local_rank);
  MPI_Comm_size(machine, &place.local_size);
  MPI_Comm_free(&machine);
  return new Mpi(place);
}

}  // namespace
}  // namespace plume::dist

extern "C" plume::dist::Communicator* plume_make_mpi() {
  return plume::dist::make();
}

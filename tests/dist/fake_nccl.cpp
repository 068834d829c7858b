// A libnccl.so for tests: the functions that plume uses, between processes whose devices are emulated, over shared memory.
// Sums are added in the ranks' order. It is as slow and as unkind as its environment says, in the process that starts a group:
//   FAKE_NCCL_POLLS=N  every call is in progress until it was asked for N times; its work is in the stream only then
//   FAKE_NCCL_FAIL     id: no unique id; refuse:K: the K-th sum is refused; async:K: an error comes up while it runs;
//                      stuck:K: it never ends by itself; finalize: the end never comes
// What real NCCL leaves undefined is reported: ranks that sum different things, calls before a group is ready or after its end.
#include <fcntl.h>
#include <nccl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/base/bfloat16.hpp"
#include "kernels/base/float16.hpp"
#include "kernels/emulator/testing.hpp"

namespace {

constexpr int most_ranks = 4;
constexpr std::size_t most_bytes = std::size_t{1} << 20;

// What a rank sums; `place` of floats, from the first that it summed: ranks must go through their buffers alike.
struct Description {
  std::size_t count = 0;
  int type = 0;
  int operation = 0;
  std::ptrdiff_t place = 0;

  bool operator==(const Description&) const = default;
  [[nodiscard]] std::string text() const {
    return std::to_string(count) + " values of type " + std::to_string(type) + " at " + std::to_string(place);
  }
};

struct SharedRank {
  std::atomic<std::int64_t> posted{0};  // sums that it has brought its values for
  std::atomic<std::int64_t> taken{0};   // sums that it has added up
  Description description;
  alignas(64) std::array<std::byte, most_bytes> values;
};

struct Segment {
  std::atomic<int> arrived{0};
  std::array<SharedRank, most_ranks> ranks;
};

std::string report;
std::string last_error;

ncclResult_t misuse(const std::string& what) {
  report += what + "\n";
  last_error = what;
  return ncclInvalidUsage;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::size_t size_of(ncclDataType_t type) {
  switch (type) {
    case ncclFloat16:
    case ncclBfloat16: return 2;
    case ncclFloat32: return 4;
    case ncclFloat64: return 8;
    default: return 0;
  }
}

}  // namespace

struct ncclComm {
  int rank = 0;
  int size = 0;
  std::string name;
  Segment* segment = nullptr;
  enum class Stage { starting, ready, ending, finalized, ended } stage = Stage::starting;
  ncclResult_t failure = ncclSuccess;
  bool aborted = false;
  std::int64_t polls = 0;          // that a call takes
  std::int64_t polls_left = 0;     // of the call in progress
  std::function<bool()> progress;  // of the call in progress: whether it is done
  std::string fault;               // FAKE_NCCL_FAIL's kind
  std::int64_t fault_at = 0;
  std::int64_t called = 0;    // sums asked for
  std::int64_t executed = 0;  // sums done
  bool posted = false;        // whether the next one's values are there for others
  const std::byte* first = nullptr;

  [[nodiscard]] bool fails(const char* kind, std::int64_t number) const { return fault == kind && fault_at == number; }
};

namespace {

// Groups live as long as the process: streams may still hold work of theirs.
std::vector<std::unique_ptr<ncclComm>> groups;

ncclResult_t begin(ncclComm& comm, std::function<bool()> progress) {
  if (comm.progress) return misuse("a call while another is in progress");
  comm.polls_left = comm.polls;
  if (comm.polls_left == 0 && progress()) return ncclSuccess;
  comm.progress = std::move(progress);
  return ncclInProgress;
}

struct Sum {
  void* values;
  std::size_t count;
  ncclDataType_t type;
  ncclRedOp_t operation;

  [[nodiscard]] std::size_t bytes() const { return count * size_of(type); }
};

void post(ncclComm& comm, const Sum& sum) {
  SharedRank& own = comm.segment->ranks[static_cast<std::size_t>(comm.rank)];
  const auto* values = static_cast<const std::byte*>(sum.values);
  if (comm.first == nullptr && sum.type == ncclFloat32) comm.first = values;
  own.description = {sum.count, sum.type, sum.operation, sum.type == ncclFloat32 ? values - comm.first : 0};
  std::memcpy(own.values.data(), values, sum.bytes());
  own.posted.store(comm.executed + 1);
  comm.posted = true;
}

bool all_ranks(const ncclComm& comm, std::atomic<std::int64_t> SharedRank::*what, std::int64_t least) {
  for (int rank = 0; rank < comm.size; ++rank)
    if ((comm.segment->ranks[static_cast<std::size_t>(rank)].*what).load() < least) return false;
  return true;
}

// The kernel, until it can add up.
bool may_run(ncclComm& comm, const Sum& sum) {
  if (comm.aborted) return true;
  const std::int64_t number = comm.executed + 1;
  if (comm.fails("async", number)) {
    comm.failure = ncclRemoteError;
    last_error = "a peer is gone";
  }
  if (comm.failure != ncclSuccess || comm.fails("stuck", number)) return false;
  if (!comm.posted) {
    if (!all_ranks(comm, &SharedRank::taken, comm.executed)) return false;
    post(comm, sum);
  }
  return all_ranks(comm, &SharedRank::posted, number);
}

template <class T>
void add_up(const ncclComm& comm, const Sum& sum) {
  auto* const to = static_cast<T*>(sum.values);
  for (std::size_t i = 0; i < sum.count; ++i) {
    T total{};
    for (int rank = 0; rank < comm.size; ++rank) {
      const T value = reinterpret_cast<const T*>(comm.segment->ranks[static_cast<std::size_t>(rank)].values.data())[i];
      total = rank == 0 ? value : static_cast<T>(total + value);
    }
    to[i] = sum.operation == ncclAvg ? static_cast<T>(total / static_cast<T>(static_cast<float>(comm.size))) : total;
  }
}

void run(ncclComm& comm, const Sum& sum) {
  if (comm.aborted) return;
  const Description& first = comm.segment->ranks[0].description;
  for (int rank = 1; rank < comm.size; ++rank) {
    const Description& other = comm.segment->ranks[static_cast<std::size_t>(rank)].description;
    if (other == first || comm.failure != ncclSuccess) continue;
    comm.failure = misuse("rank 0 sums " + first.text() + ", rank " + std::to_string(rank) + " sums " + other.text());
  }
  if (comm.failure == ncclSuccess) {
    switch (sum.type) {
      case ncclFloat16: add_up<plume::f16>(comm, sum); break;
      case ncclBfloat16: add_up<plume::bf16>(comm, sum); break;
      case ncclFloat32: add_up<float>(comm, sum); break;
      default: add_up<double>(comm, sum); break;
    }
  }
  ++comm.executed;
  comm.posted = false;
  comm.segment->ranks[static_cast<std::size_t>(comm.rank)].taken.store(comm.executed);
}

}  // namespace

extern "C" {

// What was used wrongly in this process, a line each.
const char* fake_nccl_report() {
  for (const auto& group : groups)
    if (group->stage != ncclComm::Stage::ended) static_cast<void>(misuse("a group was neither destroyed nor aborted"));
  return report.c_str();
}

ncclResult_t ncclGetVersion(int* version) {
  *version = 22809;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclSystemError: return "unhandled system error";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "remote process exited or there was a network error";
    default: return "internal error";
  }
}

const char* ncclGetLastError(ncclComm_t) {
  return last_error.c_str();
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  if (environment("FAKE_NCCL_FAIL") == "id") {
    last_error = "no network interface\nand more lines";
    return ncclSystemError;
  }
  static int made = 0;
  const std::string name = "/plume-fake-nccl-" + std::to_string(::getpid()) + "-" + std::to_string(made++);
  const int file = ::shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(Segment)) != 0) return ncclSystemError;
  ::close(file);
  *id = {};
  std::copy(name.begin(), name.end(), id->internal);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  *comm = nullptr;
  if (config->magic != 0xcafebeef || config->blocking != 0) return misuse("a group that blocks");
  if (size > most_ranks) return misuse("more than 4 ranks");
  const int file = ::shm_open(id.internal, O_RDWR, 0600);
  if (file < 0) return ncclSystemError;
  void* memory = ::mmap(nullptr, sizeof(Segment), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) return ncclSystemError;
  groups.push_back(std::make_unique<ncclComm>());
  ncclComm& made = *groups.back();
  made.rank = rank;
  made.size = size;
  made.name = id.internal;
  made.segment = static_cast<Segment*>(memory);  // zeros are what its constructors would write
  made.polls = std::atoll(environment("FAKE_NCCL_POLLS").c_str());
  const std::string fault = environment("FAKE_NCCL_FAIL");
  made.fault = fault.substr(0, fault.find(':'));
  made.fault_at = fault.find(':') == std::string::npos ? 0 : std::atoll(fault.c_str() + fault.find(':') + 1);
  made.segment->arrived.fetch_add(1);
  *comm = &made;
  return begin(made, [&made] {
    if (made.segment->arrived.load() < made.size) return false;
    if (made.rank == 0) ::shm_unlink(made.name.c_str());
    made.stage = ncclComm::Stage::ready;
    return true;
  });
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  if (comm->stage == ncclComm::Stage::ended) return misuse("a group was asked after its end");
  if (comm->progress && comm->polls_left-- <= 0 && comm->progress()) comm->progress = nullptr;
  *state = comm->failure != ncclSuccess ? comm->failure : comm->progress ? ncclInProgress : ncclSuccess;
  return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                           ncclComm_t comm, cudaStream_t stream) {
  if (comm->stage != ncclComm::Stage::ready) return misuse("a sum by a group that is not ready");
  const Sum sum{to, count, type, operation};
  if (from != to || sum.bytes() == 0 || sum.bytes() > most_bytes) return misuse("a sum that the fake does not know");
  ++comm->called;
  if (comm->fails("refuse", comm->called)) {
    last_error = "refused";
    return ncclSystemError;
  }
  return begin(*comm, [=] {
    const int error = plume::emulator::queue_when(
        stream, [=] { return may_run(*comm, sum); }, [=] { run(*comm, sum); });
    if (error != 0) comm->failure = ncclUnhandledCudaError;
    return true;
  });
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  if (comm->stage != ncclComm::Stage::ready) return misuse("the end of a group that is not ready");
  comm->stage = ncclComm::Stage::ending;
  return begin(*comm, [=] {
    if (comm->fault == "finalize") return false;
    comm->stage = ncclComm::Stage::finalized;
    return true;
  });
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  if (comm->stage != ncclComm::Stage::finalized) return misuse("a group was destroyed that was not finalized");
  comm->stage = ncclComm::Stage::ended;
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  if (comm->stage == ncclComm::Stage::ended) return misuse("a group was aborted after its end");
  if (comm->stage == ncclComm::Stage::starting && comm->rank == 0) ::shm_unlink(comm->name.c_str());
  comm->stage = ncclComm::Stage::ended;
  comm->aborted = true;
  return ncclSuccess;
}

}  // extern "C"

// A communicator that never blocks: whatever NCCL has not finished is asked for again, until a deadline.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "dist/nccl.hpp"
#include "dist/nccl/api.hpp"
#include "dist/own_gpu.hpp"
#include "kernels/base/error.hpp"
#include "kernels/cuda/event.hpp"
#include "kernels/cuda/native_stream.hpp"
#include "kernels/cuda/progress_mark.hpp"

namespace plume::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int most_names = 1023;       // of what is summed; any further ones share the last
constexpr double longest_ending = 20;  // seconds

ncclDataType_t type_of(Element element) {
  switch (element) {
    case Element::f16: return ncclFloat16;
    case Element::bf16: return ncclBfloat16;
    case Element::f64: return ncclFloat64;
    case Element::f32: break;
  }
  return ncclFloat32;
}

// The library's text may have several lines.
std::string in_one_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string reason(ncclResult_t result, ncclComm_t comm) {
  const std::string detail = in_one_line(nccl::api().last_error(comm));
  const std::string error = nccl::api().error_string(result);
  return detail.empty() ? error : error + " (" + detail + ")";
}

// The leader's id, or why it has none: said by all, for whoever is left waiting names nobody.
ncclUniqueId shared_id(Communicator& communicator) {
  struct Start {
    ncclUniqueId id{};
    std::array<char, 512> failure{};
  } start;
  if (communicator.rank() == 0) {
    const ncclResult_t result = nccl::api().unique_id(&start.id);
    if (result != ncclSuccess) std::strncpy(start.failure.data(), reason(result, nullptr).c_str(), 511);
  }
  communicator.broadcast(&start, sizeof start);
  if (start.failure[0] != '\0') throw environment_error("NCCL cannot start on rank 0: {}", start.failure.data());
  return start.id;
}

class Group : public NcclGroup {
 public:
  Group(Communicator& communicator, kernels::CudaStream& computing, double deadline)
      : communicator_(communicator),
        computing_(computing),
        stream_(kernels::stream_beside(computing, kernels::StreamPriority::high)),
        ready_(computing),
        done_(computing),
        reached_(computing, most_names),
        deadline_(deadline),
        exceptions_(std::uncaught_exceptions()) {
    require_own_gpus(communicator, computing);
    const ncclUniqueId id = shared_id(communicator);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    const auto begun = nccl::api().init(&comm_, communicator.size(), id, communicator.rank(), &config);
    finish_call(begun, [] { return std::string("find the other ranks' GPUs"); });
  }

  // On the way of an exception others may be gone.
  ~Group() override {
    if (comm_ == nullptr) return;
    ncclResult_t result = ncclInternalError;
    if (std::uncaught_exceptions() == exceptions_) {
      const Waiting waiting(communicator_.pulse());
      result = finished(nccl::api().finalize(comm_), std::min(deadline_, longest_ending));
    }
    if (result == ncclSuccess) {
      nccl::api().destroy(comm_);
    } else {
      nccl::api().abort(comm_);
    }
  }

  [[nodiscard]] kernels::CudaStream& stream() override { return stream_; }

  void fork() override {
    ready_.record(computing_);
    ready_.hold(stream_);
  }
  void join() override {
    done_.record(stream_);
    done_.hold(computing_);
  }

  [[nodiscard]] int announce(std::string what) override {
    if (names_.size() < most_names) names_.push_back(std::move(what));
    return static_cast<int>(names_.size());
  }

  // The work is in the stream once NCCL says success, so what follows waits for that.
  void all_reduce(void* values, std::size_t count, Element element, Reduction reduction, int what) override {
    reached_.set(what, stream_);
    const ncclRedOp_t operation = reduction == Reduction::mean ? ncclAvg : ncclSum;
    const ncclResult_t begun = nccl::api().all_reduce(values, values, count, type_of(element), operation, comm_,
                                                      static_cast<cudaStream_t>(kernels::native_stream(stream_)));
    finish_call(begun, [&] { return "begin the sum of " + name_of(what); });
  }

  void settle() override {
    constexpr int spins = 1000;
    std::optional<Waiting> waiting;
    const auto start = Clock::now();
    const auto sum = [&] { return "finish the sum of " + name_of(reached_.value()); };
    for (int i = 0;; ++i) {
      const bool idle = computing_is_idle(sum);
      ncclResult_t state = ncclSuccess;
      const ncclResult_t asked = nccl::api().async_error(comm_, &state);
      if (asked != ncclSuccess) fail(sum(), reason(asked, comm_));
      if (state != ncclSuccess && state != ncclInProgress) fail(sum(), reason(state, comm_));
      if (idle) return;
      if (seconds_since(start) > deadline_) fail(sum(), overdue());
      if (i == 0) waiting.emplace(communicator_.pulse());
      waiting->look();
      if (i >= spins) std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

 private:
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  [[nodiscard]] std::string name_of(int what) const {
    return what == 0 ? "nothing" : names_[static_cast<std::size_t>(what) - 1];
  }

  [[nodiscard]] std::string overdue() const { return fmt::format("another rank has not come within {} s", deadline_); }

  // What a call comes to that gave `result`; in progress: not within so many seconds.
  [[nodiscard]] ncclResult_t finished(ncclResult_t result, double seconds) const {
    Waiting waiting(communicator_.pulse());
    const auto start = Clock::now();
    while (result == ncclInProgress && seconds_since(start) <= seconds) {
      if (nccl::api().async_error(comm_, &result) != ncclSuccess) return ncclInternalError;
      waiting.look();
      if (result == ncclInProgress) std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    return result;
  }

  void finish_call(ncclResult_t begun, const std::function<std::string()>& aim) {
    if (begun == ncclSuccess) return;
    const ncclResult_t result = finished(begun, deadline_);
    if (result == ncclInProgress) fail(aim(), overdue());
    if (result != ncclSuccess) fail(aim(), reason(result, comm_));
  }

  [[nodiscard]] bool computing_is_idle(const std::function<std::string()>& aim) {
    try {
      return computing_.idle();
    } catch (const Error& error) {
      fail(aim(), error.what());
    }
  }

  // Kernels that wait for others end with the abort; without it, whoever synchronised a stream would hang.
  [[noreturn]] void fail(const std::string& aim, const std::string& why) {
    if (comm_ != nullptr) {
      const Waiting waiting(communicator_.pulse());
      nccl::api().abort(comm_);
    }
    comm_ = nullptr;
    throw environment_error("NCCL cannot {}: {}", aim, why);
  }

  Communicator& communicator_;
  kernels::CudaStream& computing_;
  kernels::CudaStream stream_;
  kernels::CudaEvent ready_;
  kernels::CudaEvent done_;
  kernels::ProgressMark reached_;  // which sum the stream has come to
  double deadline_;
  int exceptions_;
  ncclComm_t comm_ = nullptr;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<NcclGroup> open_nccl(Communicator& communicator, kernels::CudaStream& stream, double deadline) {
  if (!nccl::absence().empty()) throw environment_error("{}", nccl::absence());
  return std::make_unique<Group>(communicator, stream, deadline);
}

}  // namespace plume::dist

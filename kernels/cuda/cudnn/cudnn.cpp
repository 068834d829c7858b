// Runs convolutions by cuDNN's plans: chosen once for every problem, kept in memory and on disk.
#include "kernels/cuda/cudnn/cudnn.hpp"

#include <algorithm>
#include <unordered_map>

#include "kernels/base/error.hpp"
#include "kernels/cuda/check.hpp"
#include "kernels/cuda/cudnn/graphs.hpp"
#include "kernels/cuda/cudnn/plans.hpp"
#include "kernels/cuda/measure.hpp"
#include "kernels/cuda/note.hpp"
#include "kernels/cuda/stream_state.hpp"
#include "kernels/memory.hpp"

namespace plume::kernels::cuda::cudnn {
namespace {

constexpr std::size_t workspace_limit = std::size_t{512} << 20U;
constexpr std::size_t most_measured = 5;

class Handle {
 public:
  explicit Handle(CudaStream& stream) {
    check(api().create(&handle_));
    check(api().set_stream(handle_, stream.state().stream));
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (handle_ != nullptr) static_cast<void>(api().destroy(handle_));
  }
  operator cudnnHandle_t() const noexcept { return handle_; }  // NOLINT(google-explicit-constructor)

 private:
  cudnnHandle_t handle_ = nullptr;
};

// Memory to measure plans on: a step's own must not be written to, and may be smaller than its neighbours need.
class ThrowawayOperands {
 public:
  ThrowawayOperands(const ConvProblem& problem, std::size_t workspace, CudaStream& stream) {
    const auto images = static_cast<std::size_t>(problem.n);
    const std::size_t image = images * size(problem.h) * size(problem.w) * size(problem.c);
    const std::size_t output = images * size(problem.output_h()) * size(problem.output_w()) * size(problem.k);
    const std::size_t weight =
        size(problem.geometry.kernel) * size(problem.geometry.kernel) * size(problem.c) * size(problem.k);
    const std::size_t wide = sizeof(float);  // enough for either type
    operands_.image = take(image * wide, stream);
    operands_.output = take(output * wide, stream);
    operands_.weight = take(weight * wide, stream);
    operands_.result = take(std::max({image, output, weight}) * wide, stream);
    if (problem.sum) operands_.sum = take(output * wide, stream);
    if (problem.bias) operands_.bias = static_cast<const float*>(take(size(problem.k) * wide, stream));
    workspace_ = take(workspace, stream);
  }

  [[nodiscard]] bool complete() const noexcept { return complete_; }
  [[nodiscard]] const ConvOperands& operands() const noexcept { return operands_; }
  [[nodiscard]] void* workspace() const noexcept { return workspace_; }

 private:
  static std::size_t size(int value) { return static_cast<std::size_t>(value); }

  void* take(std::size_t bytes, CudaStream& stream) {
    Memory& memory = memory_.emplace_back(allocate(bytes, stream));
    complete_ = complete_ && memory;
    if (memory) fill_zero(memory.data(), bytes, stream);
    return memory.data();
  }

  std::vector<Memory> memory_;
  bool complete_ = true;
  ConvOperands operands_;
  void* workspace_ = nullptr;
};

class Cudnn final : public ConvLibrary {
 public:
  explicit Cudnn(CudaStream& stream)
      : handle_(stream),
        version_(api().get_version()),
        cache_(plan_cache_folder(), version_, stream.state().architecture) {}

  [[nodiscard]] bool supports(const ConvProblem& problem, CudaStream& stream) override {
    return find(problem, stream) != nullptr;
  }

  void run(const ConvProblem& problem, const ConvOperands& operands, CudaStream& stream) override {
    const Plan* plan = find(problem, stream);
    if (plan == nullptr) throw environment_error("cuDNN has no plan for {}", key_of(problem, stream).text());
    void* workspace = nullptr;
    if (plan->workspace() > 0) {
      workspace = stream.state().scratch(CudaStream::State::workspace).take<std::byte>(plan->workspace());
    }
    plan->execute(problem, operands, workspace, handle_);
  }

 private:
  [[nodiscard]] PlanKey key_of(const ConvProblem& problem, CudaStream& stream) const {
    return {.problem = problem,
            .deterministic = true,
            .workspace_limit = workspace_limit,
            .version = version_,
            .architecture = stream.state().architecture};
  }

  const Plan* find(const ConvProblem& problem, CudaStream& stream) {
    const PlanKey key = key_of(problem, stream);
    auto found = plans_.find(key);
    if (found == plans_.end()) {
      if (capturing(stream)) return nullptr;  // a recorded step was run eagerly first, so this is no loss
      found = plans_.emplace(key, make(key, stream)).first;
      if (!found->second) note("cuDNN has no plan, plume goes another way: " + key.text());
    }
    return found->second ? &*found->second : nullptr;
  }

  std::optional<Plan> make(const PlanKey& key, CudaStream& stream) {
    try {
      const Descriptor graph = make_graph(make_operations(key.problem), handle_);
      if (auto plan = remembered(key, graph)) return plan;
      return fastest(key, propose_plans(key, graph, handle_, most_measured), stream);
    } catch (const Error& error) {
      note(error.what());
      return std::nullopt;
    }
  }

  // The plan of the file. Nothing where there is none, or it is not for this key and device: the file may be from elsewhere.
  std::optional<Plan> remembered(const PlanKey& key, const Descriptor& graph) {
    const auto choice = cache_.find(key.text());
    if (!choice) return std::nullopt;
    try {
      auto plan = Plan::make(configure(*choice, graph), handle_);
      if (plan && admissible(plan->traits(), key)) return plan;
    } catch (const Error&) {
      // no such engine
    }
    return std::nullopt;
  }

  std::optional<Plan> fastest(const PlanKey& key, std::vector<Plan> plans, CudaStream& stream) {
    if (plans.empty()) return std::nullopt;
    std::size_t workspace = 0;
    for (const Plan& plan : plans) workspace = std::max(workspace, plan.workspace());
    const ThrowawayOperands memory(key.problem, workspace, stream);
    if (!memory.complete()) return std::move(plans.front());  // no room to measure: the heuristics' best guess

    std::optional<std::size_t> best;
    PlanChoice choice;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      const auto milliseconds = time_of(plans[i], key.problem, memory, stream);
      if (!milliseconds || (best && *milliseconds >= choice.milliseconds)) continue;
      best = i;
      choice = plans[i].choice();
      choice.milliseconds = *milliseconds;
    }
    if (!best) return std::nullopt;
    cache_.store(key.text(), choice);
    return std::move(plans[*best]);
  }

  // Nothing where the plan fails when it is run, as some do that finalised.
  std::optional<double> time_of(const Plan& plan, const ConvProblem& problem, const ThrowawayOperands& memory,
                                CudaStream& stream) {
    try {
      return measure([&] { plan.execute(problem, memory.operands(), memory.workspace(), handle_); }, stream);
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  Handle handle_;
  std::size_t version_;
  PlanCache cache_;
  std::unordered_map<PlanKey, std::optional<Plan>, PlanKeyHash> plans_;
};

}  // namespace

std::unique_ptr<ConvLibrary> open(CudaStream& stream) {
  if (!available()) return nullptr;
  cuda::check(cudaSetDevice(stream.state().device));
  return std::make_unique<Cudnn>(stream);
}

}  // namespace plume::kernels::cuda::cudnn

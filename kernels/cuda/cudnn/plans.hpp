// Execution plans of cuDNN: found by its heuristics, filtered, measured, or rebuilt from an earlier choice.
#pragma once

#include <optional>
#include <vector>

#include "kernels/cuda/cudnn/backend.hpp"
#include "kernels/cuda/cudnn/engine_filter.hpp"
#include "kernels/cuda/cudnn/plan_cache.hpp"

namespace plume::kernels::cuda::cudnn {

// An engine with its knobs, ready to run a graph.
class Plan {
 public:
  // The engine as a heuristic configured it. Nothing where cuDNN does not support it here.
  [[nodiscard]] static std::optional<Plan> make(Descriptor configuration, cudnnHandle_t handle);
  // The engine and knobs of an earlier choice.
  [[nodiscard]] static std::optional<Plan> restore(const PlanChoice& choice, const Descriptor& graph,
                                                   cudnnHandle_t handle);

  [[nodiscard]] EngineTraits traits() const;
  [[nodiscard]] PlanChoice choice() const;
  [[nodiscard]] std::size_t workspace() const noexcept { return workspace_; }

  // Queues the plan's kernels on the handle's stream; `workspace` has workspace() bytes.
  void execute(const ConvProblem& problem, const ConvOperands& operands, void* workspace, cudnnHandle_t handle) const;

 private:
  Plan(Descriptor configuration, Descriptor plan);

  Descriptor configuration_;
  Descriptor plan_;
  std::size_t workspace_;
};

// Admissible plans that cuDNN supports, best guesses first: modes A and B of its heuristics, then its fallback.
// At most `most`: each may take a second to compile.
[[nodiscard]] std::vector<Plan> propose_plans(const PlanKey& key, const Descriptor& graph, cudnnHandle_t handle,
                                              std::size_t most);

}  // namespace plume::kernels::cuda::cudnn

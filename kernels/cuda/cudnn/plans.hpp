// Execution plans of cuDNN: found by its heuristics and filtered, or rebuilt from an earlier choice.
#pragma once

#include <optional>
#include <vector>

#include "kernels/cuda/cudnn/backend.hpp"
#include "kernels/cuda/cudnn/engine_filter.hpp"
#include "kernels/cuda/cudnn/plan_cache.hpp"

namespace plume::kernels::cuda::cudnn {

// An engine configuration as it is kept on disk, and back. Throws environment_error where this cuDNN has no such engine.
// `device` stands for the graph's handle where it has none: a finalised CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR.
[[nodiscard]] PlanChoice choice_of(const Descriptor& configuration);
[[nodiscard]] Descriptor configure(const PlanChoice& choice, const Descriptor& graph,
                                   const Descriptor* device = nullptr);

// An engine with its knobs, ready to run a graph.
class Plan {
 public:
  // Nothing where cuDNN does not support the configuration here.
  [[nodiscard]] static std::optional<Plan> make(Descriptor configuration, cudnnHandle_t handle);

  [[nodiscard]] EngineTraits traits() const;
  [[nodiscard]] PlanChoice choice() const { return choice_of(configuration_); }
  [[nodiscard]] std::size_t workspace() const noexcept { return workspace_; }

  // Queues the plan's kernels on the handle's stream; `workspace` has workspace() bytes.
  void execute(const ConvProblem& problem, const ConvOperands& operands, void* workspace, cudnnHandle_t handle) const;

 private:
  Plan(Descriptor configuration, Descriptor plan);

  Descriptor configuration_;
  Descriptor plan_;
  std::size_t workspace_;
};

// Configurations of admissible engines for a graph, best guesses first: modes A and B of cuDNN's heuristics, then its
// fallback.
[[nodiscard]] std::vector<Descriptor> propose_configurations(const PlanKey& key, const Descriptor& graph,
                                                             const Descriptor* device = nullptr);

// Plans of those configurations that cuDNN supports; at most `most`, for each may take a second to compile.
[[nodiscard]] std::vector<Plan> propose_plans(const PlanKey& key, const Descriptor& graph, cudnnHandle_t handle,
                                              std::size_t most);

}  // namespace plume::kernels::cuda::cudnn

// Makes execution plans through cuDNN's backend interface.
#include "kernels/cuda/cudnn/plans.hpp"

#include <algorithm>

#include "kernels/base/error.hpp"
#include "kernels/cuda/cudnn/graphs.hpp"

namespace plume::kernels::cuda::cudnn {
namespace {

// More than any engine has; a library that is newer than the headers may know more than they count.
constexpr std::size_t most_notes = 64;
constexpr std::size_t most_knobs = 64;

Descriptor engine_of(const Descriptor& configuration) {
  auto engines = configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1);
  if (engines.empty()) throw environment_error("cuDNN: an engine configuration without an engine");
  return std::move(engines.front());
}

std::vector<Descriptor> heuristic_configurations(const Descriptor& graph, cudnnBackendHeurMode_t mode,
                                                 const Descriptor* device) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  if (device != nullptr) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *device);
  // A mode that knows nothing about the graph refuses it.
  if (!heuristics.try_finalize()) return {};
  const std::size_t count = heuristics.count(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR);
  return heuristics.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, count);
}

Descriptor make_knob(std::int64_t type, std::int64_t value) {
  Descriptor knob(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
  knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, static_cast<cudnnBackendKnobType_t>(type));
  knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, value);
  knob.finalize();
  return knob;
}

// The notes stand in the engine, so they are known before a plan is compiled.
EngineTraits engine_traits(const Descriptor& configuration) {
  EngineTraits traits;
  const Descriptor engine = engine_of(configuration);
  for (const auto note : engine.get_some<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, most_notes)) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE: traits.tensor_core = true; break;
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS: traits.down_converts_inputs = true; break;
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION: traits.reduced_precision_reduction = true; break;
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC: traits.nondeterministic = true; break;
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13: traits.transforms = true; break;
      default: break;
    }
  }
  return traits;
}

}  // namespace

PlanChoice choice_of(const Descriptor& configuration) {
  PlanChoice choice;
  choice.engine = engine_of(configuration).get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  for (const Descriptor& knob : configuration.get_descriptors(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                                              CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, most_knobs)) {
    choice.knobs.emplace_back(knob.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE),
                              knob.get<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  }
  return choice;
}

Descriptor configure(const PlanChoice& choice, const Descriptor& graph, const Descriptor* device) {
  Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph);
  engine.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, choice.engine);
  if (device != nullptr) engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, *device);
  engine.finalize();

  std::vector<Descriptor> knobs;
  for (const auto& [type, value] : choice.knobs) knobs.push_back(make_knob(type, value));
  Descriptor configuration(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  configuration.set(CUDNN_ATTR_ENGINECFG_ENGINE, engine);
  if (!knobs.empty()) configuration.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, knobs);
  configuration.finalize();
  return configuration;
}

Plan::Plan(Descriptor configuration, Descriptor plan)
    : configuration_(std::move(configuration)),
      plan_(std::move(plan)),
      workspace_(static_cast<std::size_t>(plan_.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE))) {}

std::optional<Plan> Plan::make(Descriptor configuration, cudnnHandle_t handle) {
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  if (!plan.try_finalize()) return std::nullopt;
  return Plan(std::move(configuration), std::move(plan));
}

EngineTraits Plan::traits() const {
  EngineTraits traits = engine_traits(configuration_);
  traits.workspace = static_cast<std::int64_t>(workspace_);
  return traits;
}

void Plan::execute(const ConvProblem& problem, const ConvOperands& operands, void* workspace,
                   cudnnHandle_t handle) const {
  const Descriptor pack = make_variant_pack(problem, operands, workspace);
  check(api().execute(handle, plan_.handle(), pack.handle()));
}

std::vector<Descriptor> propose_configurations(const PlanKey& key, const Descriptor& graph, const Descriptor* device) {
  std::vector<Descriptor> configurations;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
    for (Descriptor& configuration : heuristic_configurations(graph, mode, device)) {
      if (admissible(engine_traits(configuration), key)) configurations.push_back(std::move(configuration));
    }
  }
  return configurations;
}

std::vector<Plan> propose_plans(const PlanKey& key, const Descriptor& graph, cudnnHandle_t handle, std::size_t most) {
  std::vector<Plan> plans;
  std::vector<PlanChoice> seen;
  for (Descriptor& configuration : propose_configurations(key, graph)) {
    if (plans.size() == most) break;
    const PlanChoice choice = choice_of(configuration);
    if (std::find(seen.begin(), seen.end(), choice) != seen.end()) continue;  // modes repeat each other
    seen.push_back(choice);
    auto plan = Plan::make(std::move(configuration), handle);
    if (plan && admissible(plan->traits(), key)) plans.push_back(std::move(*plan));
  }
  return plans;
}

}  // namespace plume::kernels::cuda::cudnn

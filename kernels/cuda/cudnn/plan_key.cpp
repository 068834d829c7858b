// Keys of plans as text, and their hash.
#include "kernels/cuda/cudnn/plan_key.hpp"

#include <fmt/format.h>

#include <functional>
#include <string_view>

namespace plume::kernels::cuda::cudnn {
namespace {

std::string_view name(ConvDirection direction) {
  switch (direction) {
    case ConvDirection::forward: return "forward";
    case ConvDirection::backward_data: return "backward-data";
    case ConvDirection::backward_weight: return "backward-weight";
  }
  return {};
}

std::string_view name(DType type, bool tf32) {
  if (type == DType::bf16) return "bf16";
  return tf32 ? "tf32" : "f32";
}

std::string epilogue(const ConvProblem& problem) {
  std::string text;
  if (problem.sum) text += "+sum";
  if (problem.bias) text += fmt::format("+bias{}", problem.bias_alignment);
  if (problem.relu) text += "+relu";
  return text;
}

}  // namespace

std::string PlanKey::text() const {
  const ConvProblem& p = problem;
  const auto& pad = p.geometry.pad;
  return fmt::format("{}{} {}x{}x{}x{} to {} kernel {} stride {} pad {},{},{},{} {} workspace {}{}", name(p.direction),
                     epilogue(p), p.n, p.h, p.w, p.c, p.k, p.geometry.kernel, p.geometry.stride, pad[0], pad[1], pad[2],
                     pad[3], name(p.type, p.tf32), workspace_limit, deterministic ? "" : " any-order");
}

std::size_t PlanKeyHash::operator()(const PlanKey& key) const {
  return std::hash<std::string>{}(key.text());
}

}  // namespace plume::kernels::cuda::cudnn

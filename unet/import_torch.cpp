// Matches a safetensors file against a graph, tensor by tensor.
#include "unet/import_torch.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "kernels/base/error.hpp"
#include "nn/safetensors.hpp"

namespace plume::unet {
namespace {

constexpr std::size_t listed_at_most = 4;

// "; missing: a, b and 3 more", or nothing where the list is empty.
std::string list(std::string_view title, const std::vector<std::string>& entries) {
  if (entries.empty()) return {};
  const auto shown = static_cast<std::ptrdiff_t>(std::min(entries.size(), listed_at_most));
  std::string text = fmt::format("; {}: {}", title, fmt::join(entries.begin(), entries.begin() + shown, ", "));
  if (entries.size() > listed_at_most) text += fmt::format(" and {} more", entries.size() - listed_at_most);
  return text;
}

void check_names_and_shapes(const nn::SafetensorsFile& file, const std::vector<ParameterShape>& parameters) {
  std::vector<std::string> missing;
  std::vector<std::string> misshapen;
  std::vector<std::string> surplus;
  std::set<std::string_view> expected;
  for (const ParameterShape& parameter : parameters) {
    expected.insert(parameter.name);
    const nn::TensorInfo* tensor = file.find(parameter.name);
    if (tensor == nullptr) {
      missing.push_back(parameter.name);
    } else if (tensor->shape != parameter.shape) {
      misshapen.push_back(fmt::format("{} [{}] instead of [{}]", parameter.name, fmt::join(tensor->shape, ", "),
                                      fmt::join(parameter.shape, ", ")));
    }
  }
  for (const nn::TensorInfo& tensor : file.tensors()) {
    const bool counter = tensor.name.ends_with(".num_batches_tracked");
    if (!counter && !expected.contains(tensor.name)) surplus.push_back(tensor.name);
  }
  if (missing.empty() && misshapen.empty() && surplus.empty()) return;
  throw input_error("{}: tensors do not fit the network{}{}{}", file.path().string(), list("missing", missing),
                    list("surplus", surplus), list("of another shape", misshapen));
}

}  // namespace

std::vector<nn::NamedTensor> read_torch_safetensors(const std::filesystem::path& path, const Graph& graph) {
  const nn::SafetensorsFile file(path);
  std::vector<ParameterShape> parameters = parameter_shapes(graph);
  check_names_and_shapes(file, parameters);
  std::vector<nn::NamedTensor> tensors;
  for (ParameterShape& parameter : parameters) {
    std::vector<float> values = file.floats(parameter.name);
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
      throw input_error("{}: tensor \"{}\" holds NaN or infinity", path.string(), parameter.name);
    }
    tensors.push_back({std::move(parameter.name), std::move(parameter.shape), std::move(values)});
  }
  return tensors;
}

}  // namespace plume::unet

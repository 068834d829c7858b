// Matches a safetensors file against a graph, tensor by tensor.
#include "unet/import_torch.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "kernels/base/error.hpp"
#include "nn/safetensors.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/milesial.hpp"

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

// What a parameter is called in a file.
using NameInFile = std::function<std::string(const std::string& parameter)>;

NameInFile names_of(const nn::SafetensorsFile& file) {
  const std::optional<ModelSettings> settings = milesial_settings(file);
  if (!settings) return [](const std::string& parameter) { return parameter; };
  return [depth = settings->depth](const std::string& parameter) { return milesial_name(parameter, depth); };
}

void check_names_and_shapes(const nn::SafetensorsFile& file, const std::vector<ParameterShape>& parameters,
                            const NameInFile& name_in_file) {
  std::vector<std::string> missing;
  std::vector<std::string> misshapen;
  std::vector<std::string> surplus;
  std::set<std::string> expected;
  for (const ParameterShape& parameter : parameters) {
    const std::string name = name_in_file(parameter.name);
    expected.insert(name);
    const nn::TensorInfo* tensor = file.find(name);
    if (tensor == nullptr) {
      missing.push_back(name);
    } else if (tensor->shape != parameter.shape) {
      misshapen.push_back(fmt::format("{} [{}] instead of [{}]", name, fmt::join(tensor->shape, ", "),
                                      fmt::join(parameter.shape, ", ")));
    }
  }
  for (const nn::TensorInfo& tensor : file.tensors()) {
    // Counters of PyTorch's, and what plume quantize adds.
    const bool beside = tensor.name.ends_with(".num_batches_tracked") || tensor.name.ends_with(range_suffix);
    if (!beside && !expected.contains(tensor.name)) surplus.push_back(tensor.name);
  }
  if (missing.empty() && misshapen.empty() && surplus.empty()) return;
  throw input_error("{}: tensors do not fit the network{}{}{}", file.path().string(), list("missing", missing),
                    list("surplus", surplus), list("of another shape", misshapen));
}

}  // namespace

std::vector<nn::NamedTensor> read_torch_safetensors(const std::filesystem::path& path, const Graph& graph) {
  const nn::SafetensorsFile file(path);
  std::vector<ParameterShape> parameters = parameter_shapes(graph);
  const NameInFile name_in_file = names_of(file);
  check_names_and_shapes(file, parameters, name_in_file);
  std::vector<nn::NamedTensor> tensors;
  for (ParameterShape& parameter : parameters) {
    const std::string name = name_in_file(parameter.name);
    std::vector<float> values = file.floats(name);
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
      throw input_error("{}: tensor \"{}\" holds NaN or infinity", path.string(), name);
    }
    tensors.push_back({std::move(parameter.name), std::move(parameter.shape), std::move(values)});
  }
  return tensors;
}

Graph graph_of_torch_safetensors(const std::filesystem::path& path) {
  const std::optional<ModelSettings> settings = milesial_settings(nn::SafetensorsFile(path));
  if (!settings) {
    throw usage_error(
        "{}: its names are not those of milesial/Pytorch-UNet, so they do not say which network it is; give a --config "
        "with a [model]",
        path.string());
  }
  return with_context(path.string(), [&] { return build_graph(*settings); });
}

}  // namespace plume::unet

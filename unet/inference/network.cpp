// Runs a plan step by step.
#include "unet/inference/network.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "kernels/base/error.hpp"
#include "nn/ops/ops.hpp"

namespace plume::unet {
namespace {

kernels::ConvGeometry geometry_of(const Layer& layer) {
  return {layer.kernel, layer.stride, layer.pad};
}

// Every parameter that the graph needs, in the layout of memory.
void declare(nn::Parameters& parameters, const Graph& graph) {
  for (const ParameterShape& needed : parameter_shapes(graph)) {
    const auto dimension = [&](std::size_t i) { return static_cast<int>(needed.shape[i]); };
    const std::string layer_name = needed.name.substr(0, needed.name.rfind('.'));
    const auto layer = std::find_if(graph.layers.begin(), graph.layers.end(),
                                    [&](const Layer& candidate) { return candidate.name == layer_name; });
    if (needed.shape.size() == 1) {
      const bool statistic = needed.name.ends_with(".running_mean") || needed.name.ends_with(".running_var");
      parameters.declare(needed.name, {1, 1, 1, dimension(0)},
                         statistic ? nn::ParameterKind::statistic : nn::ParameterKind::vector);
    } else if (layer->kind == LayerKind::conv2d) {
      parameters.declare(needed.name, {dimension(2), dimension(3), dimension(1), dimension(0)},
                         nn::ParameterKind::conv_weight);
    } else {
      parameters.declare(needed.name, {dimension(2), dimension(3), dimension(0), dimension(1)},
                         nn::ParameterKind::conv_transpose_weight);
    }
  }
}

// A value that is cut as `now` says, cut as `margins` say.
nn::Inputs cut_further(const nn::Inputs& value, const Cut& now, const Margins& margins) {
  if (now.margins == margins) return value;
  const auto pixels = [&](int before, int after) { return static_cast<int>(std::ldexp(after - before, -now.level)); };
  const int top = pixels(now.margins.top, margins.top);
  const int left = pixels(now.margins.left, margins.left);
  const int rows = value.shape().h - top - pixels(now.margins.bottom, margins.bottom);
  const int columns = value.shape().w - left - pixels(now.margins.right, margins.right);
  nn::Inputs parts;
  for (const nn::Tensor& tensor : value) parts.append(tensor.part(top, left, rows, columns));
  return parts;
}

}  // namespace

Network::Network(Graph graph, DType dtype, Fusion fusion, kernels::Stream* stream, nn::Gradients gradients)
    : graph_(std::move(graph)), dtype_(dtype), parameters_(dtype, stream) {
  declare(parameters_, graph_);
  parameters_.allocate(gradients);
  plan_ = make_plan(graph_, fusion);
  make_modules();
}

void Network::freeze(const std::vector<std::string>& names) {
  parameters_.freeze(names);
  make_modules();
}

void Network::make_modules() {
  modules_.clear();
  for (const Step& step : plan_.steps) modules_.push_back(modules_of(step));
}

Network::Modules Network::modules_of(const Step& step) const {
  Modules modules;
  if (step.conv >= 0) {
    const Layer& layer = graph_.layers[static_cast<std::size_t>(step.conv)];
    modules.conv.weight = parameters_.tensor(layer.name + ".weight");
    if (layer.bias) modules.conv.bias = parameters_.tensor(layer.name + ".bias");
    modules.conv.geometry = geometry_of(layer);
  }
  if (step.norm >= 0) {
    const Layer& layer = graph_.layers[static_cast<std::size_t>(step.norm)];
    const auto part = [&](const char* name) { return parameters_.tensor(layer.name + name); };
    modules.norm = {part(".weight"),
                    part(".bias"),
                    part(".running_mean"),
                    part(".running_var"),
                    {layer.epsilon, layer.momentum, layer.unbiased_variance}};
  }
  return modules;
}

nn::Inputs Network::run(const nn::Context& context, const Step& step, const Modules& modules,
                        const std::vector<nn::Inputs>& inputs) const {
  const auto input = [&](std::size_t i = 0) -> const nn::Inputs& { return inputs[i]; };
  switch (step.kind) {
    case StepKind::conv: return nn::conv2d(context, input(), modules.conv, step.relu);
    case StepKind::conv_transpose: return nn::conv_transpose2d(context, input(), modules.conv, step.relu);
    case StepKind::batch_norm: return nn::batch_norm(context, input(), modules.norm, step.relu);
    case StepKind::conv_norm_relu: return nn::conv_norm_relu(context, input(), modules.conv, modules.norm);
    case StepKind::norm_conv_relu:
      return nn::norm_conv_relu(context, input(), modules.norm, modules.conv, step.last_use);
    case StepKind::relu: return nn::relu(context, nn::concat(context, input()));
    case StepKind::max_pool: return nn::max_pool(context, nn::concat(context, input()));
    case StepKind::upsample_nearest:
      return nn::upsample(context, nn::concat(context, input()), kernels::Interpolation::nearest);
    case StepKind::upsample_bilinear:
      return nn::upsample(context, nn::concat(context, input()), kernels::Interpolation::bilinear);
    case StepKind::upsample_aligned:
      return nn::upsample(context, nn::concat(context, input()), kernels::Interpolation::aligned);
    case StepKind::conv_norm_relu_pool:
    case StepKind::concat: break;
    case StepKind::add: {
      nn::Tensor sum = nn::concat(context, input());
      for (std::size_t i = 1; i < step.inputs.size(); ++i) sum = nn::add(context, sum, nn::concat(context, input(i)));
      return sum;
    }
  }
  nn::Inputs all;
  for (const nn::Inputs& each : inputs) all.append(each);
  // More parts than a kernel reads at once are copied together.
  return all.size() <= kernels::Sources<float>::max_count ? all : nn::Inputs(nn::concat(context, all));
}

std::vector<nn::Inputs> Network::inputs_of(const Step& step, const std::vector<nn::Inputs>& values,
                                           const std::vector<Cut>& cuts) const {
  std::vector<nn::Inputs> inputs;
  for (const int value : step.inputs) {
    const auto at = static_cast<std::size_t>(value);
    const nn::Inputs& whole = values[at];
    inputs.push_back(cuts.empty() ? whole
                                  : cut_further(whole, cuts[at], cuts[static_cast<std::size_t>(step.output)].margins));
  }
  return inputs;
}

void Network::run_step(std::vector<nn::Inputs>& values, const nn::Context& context, std::size_t i) const {
  run_step(values, {}, context, i);
}

void Network::run_step(std::vector<nn::Inputs>& values, const std::vector<Cut>& cuts, const nn::Context& context,
                       std::size_t i) const {
  const Step& step = plan_.steps[i];
  const Modules& modules = modules_[i];
  const std::vector<nn::Inputs> inputs = inputs_of(step, values, cuts);
  const auto output = static_cast<std::size_t>(step.output);
  if (step.kind != StepKind::conv_norm_relu_pool) {
    values[output] = run(context, step, modules, inputs);
    return;
  }
  const auto [y, pooled] = nn::conv_norm_relu_pool(context, inputs.front(), modules.conv, modules.norm);
  values[output] = y;
  values[static_cast<std::size_t>(step.pooled)] = pooled;
}

void Network::require_fit(const nn::Shape& images) const {
  const int multiple = size_multiple(graph_);
  if (images.h % multiple != 0 || images.w % multiple != 0) {
    throw input_error("images of {}x{} do not fit the model: height and width must be multiples of {}", images.h,
                      images.w, multiple);
  }
  if (images.c != graph_.input.bands) {
    throw input_error("images have {} bands, the model takes {}", images.c, graph_.input.bands);
  }
}

nn::Tensor Network::run_all(const nn::Context& context, const nn::Tensor& images, const std::vector<Cut>& cuts,
                            const Observer& observer) const {
  require_fit(images.shape());
  std::vector<nn::Inputs> values(graph_.layers.size() + 1);
  values[0] = images;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    const Step& step = plan_.steps[i];
    const std::string& name = graph_.layers[static_cast<std::size_t>(step.output - 1)].name;
    run_step(values, cuts, context, i);
    if (observer) observer(name, values[static_cast<std::size_t>(step.output)]);
    for (const int value : step.done) {
      nn::Inputs& done = values[static_cast<std::size_t>(value)];
      done.release();
      done = {};
    }
  }
  return nn::concat(context, values.back());
}

nn::Tensor Network::operator()(const nn::Context& context, const nn::Tensor& images, const Observer& observer) const {
  return run_all(context, images, {}, observer);
}

nn::Tensor Network::within(const Margins& margins, const nn::Context& context, const nn::Tensor& images) const {
  if (margins == Margins{}) return (*this)(context, images);
  const std::vector<Cut> cuts = cuts_within(graph_, margins);
  return nn::concat(context, cut_further(run_all(context, images, cuts, {}), cuts.back(), margins));
}

std::vector<nn::Tensor> Network::with_heads(const nn::Context& context, const nn::Tensor& images) const {
  std::vector<nn::Tensor> logits(1 + graph_.heads.size());
  logits.front() = (*this)(context, images, [&](const std::string& layer, const nn::Inputs& output) {
    const auto head = std::find(graph_.heads.begin(), graph_.heads.end(), layer);
    if (head != graph_.heads.end()) logits[static_cast<std::size_t>(head - graph_.heads.begin()) + 1] = output.front();
  });
  return logits;
}

void copy_parameters(Network& to, const Network& from) {
  // Each network's own places: they depend on the element type.
  for (const nn::ParameterInfo& info : to.parameters().all()) {
    to.parameters().from_named(info, from.parameters().to_named(*from.parameters().find(info.name)));
  }
}

void load_parameters(Network& network, std::span<const nn::NamedTensor> tensors) {
  nn::Parameters& parameters = network.parameters();
  std::set<std::string_view> seen;
  for (const nn::NamedTensor& tensor : tensors) {
    const nn::ParameterInfo* info = parameters.find(tensor.name);
    if (info == nullptr) throw input_error("parameter {} is not in the model", tensor.name);
    parameters.from_named(*info, tensor);
    seen.insert(info->name);
  }
  for (const auto& info : parameters.all()) {
    if (!seen.contains(info.name)) throw input_error("parameter {} is missing", info.name);
  }
}

}  // namespace plume::unet

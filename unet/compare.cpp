// One pass per device, and the distances between what they give.
#include "unet/compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/base/philox.hpp"
#include "nn/buffer.hpp"
#include "nn/loss.hpp"
#include "nn/tape.hpp"
#include "nn/transfer.hpp"
#include "unet/inference/network.hpp"

namespace plume::unet {
namespace {

constexpr std::uint64_t seed = 1;
constexpr int image_count = 2;
constexpr int least_edge = 32;

// What one device gives.
struct Pass {
  struct Layer {
    std::string name;
    std::vector<float> values;
  };
  std::vector<Layer> outputs;
  std::vector<Layer> gradients;  // of all of a layer's parameters, one behind another
  double loss = 0;
};

struct Drawn {
  nn::Shape shape;
  std::vector<float> pixels;
  std::vector<std::uint8_t> labels;
};

Drawn draw(const Graph& graph) {
  const int multiple = size_multiple(graph);
  const int edge = (least_edge + multiple - 1) / multiple * multiple;
  Drawn drawn{{image_count, edge, edge, graph.input.bands}, {}, {}};
  Philox random(seed, 0);
  drawn.pixels.resize(drawn.shape.count());
  for (float& pixel : drawn.pixels) pixel = random.normal();
  drawn.labels.resize(drawn.shape.count() / static_cast<std::size_t>(graph.input.bands));
  const auto labels = static_cast<std::uint32_t>(std::max(graph.classes, 2));
  for (std::uint8_t& label : drawn.labels) label = static_cast<std::uint8_t>(random.below(labels));
  return drawn;
}

void collect_gradients(Pass& pass, const nn::Parameters& parameters) {
  for (const auto& info : parameters.all()) {
    if (info.kind == nn::ParameterKind::statistic) continue;
    const auto values = parameters.gradient_to_named(info).values;
    const std::string layer = info.name.substr(0, info.name.rfind('.'));
    if (pass.gradients.empty() || pass.gradients.back().name != layer) pass.gradients.push_back({layer, {}});
    auto& all = pass.gradients.back().values;
    all.insert(all.end(), values.begin(), values.end());
  }
}

Pass run(const Graph& graph, std::span<const nn::NamedTensor> tensors, const DeviceSettings& device) {
  const Drawn drawn = draw(graph);
  kernels::Stream stream = make_stream(device, 0);
  Network network(graph, element_type(device.precision), Fusion::on, &stream);
  load_parameters(network, tensors);
  nn::Arena arena(&stream);
  nn::Tape tape;
  const nn::Context context{stream, arena, &tape, true};
  nn::Buffer labels(&stream, drawn.labels.size(), "labels");
  labels.write(0, drawn.labels.data(), drawn.labels.size());

  Pass pass;
  const nn::Tensor images = context.allocate(drawn.shape, network.dtype(), "images");
  nn::upload(images, drawn.pixels.data(), stream);
  const nn::Tensor logits = network(context, images, [&](const std::string& layer, const nn::Inputs& output) {
    if (output.size() == 1) pass.outputs.push_back({layer, nn::download(output.front(), stream)});
  });
  const nn::Targets targets{reinterpret_cast<const std::uint8_t*>(labels.data()), nullptr};
  pass.loss = nn::loss(context, logits, targets, {.cross_entropy = 1, .dice = 1});
  nn::backward(context, tape);
  collect_gradients(pass, network.parameters());
  return pass;
}

LayerDifference difference(const Pass::Layer& reference, const Pass::Layer& other) {
  double squares = 0;
  double norm = 0;
  LayerDifference result{reference.name, 0, 0};
  for (std::size_t i = 0; i < reference.values.size(); ++i) {
    const double value = reference.values[i];
    const double apart = std::abs(value - double{other.values[i]});
    squares += apart * apart;
    norm += value * value;
    result.largest = std::max(result.largest, apart);
  }
  result.relative = squares == 0 ? 0 : std::sqrt(squares / norm);
  // Not a number is as far as can be, and compares as nothing.
  if (!std::isfinite(result.relative)) result.relative = std::numeric_limits<double>::infinity();
  return result;
}

}  // namespace

Comparison compare_devices(const Graph& graph, std::span<const nn::NamedTensor> parameters,
                           const DeviceSettings& reference, const DeviceSettings& other) {
  const Pass a = run(graph, parameters, reference);
  const Pass b = run(graph, parameters, other);
  Comparison comparison;
  comparison.loss = a.loss;
  comparison.loss_difference = std::abs(a.loss - b.loss);
  const auto compare = [&](const std::vector<Pass::Layer>& ours, const std::vector<Pass::Layer>& theirs) {
    std::vector<LayerDifference> rows;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      rows.push_back(difference(ours[i], theirs[i]));
      comparison.worst = std::max(comparison.worst, rows.back().relative);
    }
    return rows;
  };
  comparison.outputs = compare(a.outputs, b.outputs);
  comparison.gradients = compare(a.gradients, b.gradients);
  return comparison;
}

double comparison_tolerance(Precision precision) {
  switch (precision) {
    case Precision::tf32: return 3e-2;
    case Precision::bf16: return 0.2;
    case Precision::f32:
    case Precision::int8: break;  // int8 is not compared: it is another network, not another rounding
  }
  return 1e-3;
}

}  // namespace plume::unet

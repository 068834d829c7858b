// Builds the layer graphs of both families.
#include "unet/families.hpp"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

std::string head_name(int level) {
  return fmt::format("head{}", level);
}

// Appends layers, each reading the one before unless told otherwise.
class Builder {
 public:
  [[nodiscard]] const std::string& last() const { return last_; }
  [[nodiscard]] std::vector<Layer> take() { return std::move(layers_); }
  void from(std::string name) { last_ = std::move(name); }

  void conv(const std::string& name, int channels, int kernel, bool bias) {
    Layer layer = next(name, LayerKind::conv2d);
    const int edge = kernel / 2;
    layer.channels = channels;
    layer.kernel = kernel;
    layer.pad = {edge, edge, edge, edge};
    layer.bias = bias;
    push(std::move(layer));
  }
  void conv_transpose(const std::string& name, int channels, int kernel, std::array<int, 4> crop) {
    Layer layer = next(name, LayerKind::conv_transpose2d);
    layer.channels = channels;
    layer.kernel = kernel;
    layer.stride = 2;
    layer.pad = crop;
    layer.bias = true;
    push(std::move(layer));
  }
  void batch_norm(const std::string& name, float epsilon, float momentum) {
    Layer layer = next(name, LayerKind::batch_norm);
    layer.epsilon = epsilon;
    layer.momentum = momentum;
    push(std::move(layer));
  }
  void plain(const std::string& name, LayerKind kind) { push(next(name, kind)); }
  // At a decoder's level that has one; what comes next reads the layer before it all the same.
  void head(const ModelSettings& settings, int level) {
    if (level < 1 || level > settings.deep_supervision) return;
    const std::string decoded = last_;
    conv(head_name(level), settings.classes, 1, true);
    from(decoded);
  }
  void concat(const std::string& name, const std::string& first, const std::string& second) {
    Layer layer = next(name, LayerKind::concat);
    layer.inputs = {first, second};
    push(std::move(layer));
  }

 private:
  [[nodiscard]] Layer next(const std::string& name, LayerKind kind) const {
    Layer layer;
    layer.name = name;
    layer.kind = kind;
    layer.inputs = {last_};
    return layer;
  }
  void push(Layer layer) {
    last_ = layer.name;
    layers_.push_back(std::move(layer));
  }

  std::vector<Layer> layers_;
  std::string last_ = "input";
};

std::vector<Layer> classic(const ModelSettings& settings) {
  Builder build;
  // No bias before a normalisation, which would take it away again.
  const auto double_conv = [&](const std::string& block, int between, int channels) {
    for (const int index : {1, 2}) {
      build.conv(fmt::format("{}.conv{}", block, index), index == 1 ? between : channels, 3, false);
      build.batch_norm(fmt::format("{}.norm{}", block, index), 1e-5F, 0.1F);
      build.plain(fmt::format("{}.relu{}", block, index), LayerKind::relu);
    }
  };
  // What is enlarged next has as many channels as the skip that it meets, where nothing on the way halves them.
  const bool halved = settings.up == Up::aligned;
  const auto width = [&](int level) { return settings.base << level; };
  for (int level = 0; level <= settings.depth; ++level) {
    const int channels = halved && level == settings.depth ? width(level) / 2 : width(level);
    if (level > 0) build.plain(fmt::format("pool{}", level - 1), LayerKind::max_pool);
    double_conv(fmt::format("enc{}", level), channels, channels);
  }
  for (int level = settings.depth - 1; level >= 0; --level) {
    if (settings.up == Up::transposed) {
      build.conv_transpose(fmt::format("up{}", level), width(level), 2, {0, 0, 0, 0});
    } else {
      build.plain(fmt::format("up{}.resize", level),
                  halved ? LayerKind::upsample_aligned : LayerKind::upsample_bilinear);
    }
    build.concat(fmt::format("cat{}", level), fmt::format("enc{}.relu2", level), build.last());
    double_conv(fmt::format("dec{}", level), width(level), halved && level > 0 ? width(level) / 2 : width(level));
    build.head(settings, level);
  }
  build.conv("head", settings.classes, 1, true);
  return build.take();
}

std::vector<Layer> pixel_detector(const ModelSettings& settings) {
  constexpr float epsilon = 1e-3F;
  constexpr float momentum = 0.99F;  // Keras's 0.01: running = 0.01 old + 0.99 batch
  Builder build;
  int units = 0;
  const auto unit = [&](int channels, bool up) {
    ++units;
    build.batch_norm(fmt::format("norm{}", units), epsilon, momentum);
    const std::string name = fmt::format("conv{}", units);
    if (up) {
      build.conv_transpose(name, channels, 3, {0, 0, 1, 1});
    } else {
      build.conv(name, channels, 3, true);
    }
    build.plain(fmt::format("relu{}", units), LayerKind::relu);
  };

  const int width = settings.base;
  build.conv("stem", width, 3, true);
  build.plain("stem.relu", LayerKind::relu);
  std::vector<std::string> skips;
  for (int level = 0; level < settings.depth; ++level) {
    for (int i = 0; i < (level == 0 ? 1 : 2); ++i) unit(width, false);
    skips.push_back(build.last());
    unit(width, false);
    build.plain(fmt::format("pool{}", level), LayerKind::max_pool);
  }
  unit(width, false);
  unit(width, false);
  for (int level = settings.depth - 1; level >= 0; --level) {
    unit(width, true);
    build.concat(fmt::format("cat{}", level), build.last(), skips[static_cast<std::size_t>(level)]);
    unit(settings.wide, false);
    unit(width, false);
    build.head(settings, level);
  }
  build.conv("head", settings.classes, 1, true);
  return build.take();
}

void require(int value, int least, int most, const char* key) {
  if (value < least || value > most) throw usage_error("model.{} = {}: {} to {} are possible", key, value, least, most);
}

}  // namespace

Graph build_graph(const ModelSettings& settings) {
  require(settings.bands, 1, 16, "bands");
  require(settings.classes, 1, 254, "classes");
  require(settings.base, 1, 1024, "base");
  require(settings.depth, 1, 6, "depth");
  require(settings.wide, 1, 1024, "wide");
  require(settings.deep_supervision, 0, settings.depth - 1, "deep_supervision");
  Graph graph;
  graph.input.bands = settings.bands;
  graph.classes = settings.classes;
  graph.activation = settings.classes == 1 ? Activation::sigmoid : Activation::softmax;
  graph.layers = settings.family == Family::classic ? classic(settings) : pixel_detector(settings);
  for (int level = 1; level <= settings.deep_supervision; ++level) graph.heads.push_back(head_name(level));
  validate(graph);
  return graph;
}

}  // namespace plume::unet

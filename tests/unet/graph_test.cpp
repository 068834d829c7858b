// A layer graph is checked before anything runs it, and comes back from JSON as it was.
#include "unet/inference/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "../expect_error.hpp"

namespace plume::unet {
namespace {

using tests::expect_input_error;

Layer conv(std::string name, std::string input, int channels, int kernel = 3) {
  const int pad = kernel / 2;
  return {.name = std::move(name),
          .kind = LayerKind::conv2d,
          .inputs = {std::move(input)},
          .channels = channels,
          .kernel = kernel,
          .pad = {pad, pad, pad, pad},
          .bias = true};
}

Layer plain(std::string name, LayerKind kind, std::vector<std::string> inputs) {
  return {.name = std::move(name), .kind = kind, .inputs = std::move(inputs)};
}

// Two levels with everything in them: 6 bands, 8 channels, one class.
Graph small_unet() {
  Graph graph;
  graph.input = {.bands = 6, .mean = {0.1F, 1, 2, 3, 4, 5}, .std = {1e-5F, 1, 1, 1, 1, 3.3333333F}};
  Layer up{
      .name = "up", .kind = LayerKind::conv_transpose2d, .inputs = {"bottom"}, .channels = 8, .kernel = 3, .stride = 2};
  up.pad = {0, 0, 1, 1};
  up.bias = true;
  Layer norm = plain("norm", LayerKind::batch_norm, {"stem"});
  norm.epsilon = 1e-3F;
  norm.momentum = 0.99F;
  norm.unbiased_variance = false;
  graph.layers = {conv("stem", "input", 8),
                  norm,
                  plain("relu", LayerKind::relu, {"norm"}),
                  plain("pool", LayerKind::max_pool, {"relu"}),
                  conv("bottom", "pool", 16),
                  up,
                  plain("wide", LayerKind::upsample_bilinear, {"pool"}),
                  plain("block", LayerKind::upsample_nearest, {"pool"}),
                  plain("sum", LayerKind::add, {"wide", "block"}),
                  plain("cat", LayerKind::concat, {"up", "relu", "sum"}),
                  conv("head", "cat", 1, 1)};
  return graph;
}

Layer& layer_named(Graph& graph, std::string_view name) {
  return *std::ranges::find(graph.layers, name, &Layer::name);
}

void expect_refused(const std::function<void(Graph&)>& change, std::string_view part, std::string_view layer = "") {
  Graph graph = small_unet();
  change(graph);
  expect_input_error([&] { validate(graph); }, part, layer);
}

// The same for a change to one layer, which the message must name.
void expect_layer_refused(const char* name, const std::function<void(Layer&)>& change, std::string_view part) {
  expect_refused([&](Graph& graph) { change(layer_named(graph, name)); }, part);
}

TEST(Graph, OutputsAreInferred) {
  const Graph graph = small_unet();
  const std::vector<LayerOutput> expected{{8, 0}, {8, 0}, {8, 0}, {8, 1},  {16, 1}, {8, 0},
                                          {8, 0}, {8, 0}, {8, 0}, {24, 0}, {1, 0}};
  EXPECT_EQ(infer_outputs(graph), expected);
}

TEST(Graph, SizeMultipleCountsHalvings) {
  EXPECT_EQ(size_multiple(small_unet()), 2);
  Graph graph = small_unet();
  layer_named(graph, "stem").stride = 2;
  layer_named(graph, "head").inputs = {"back"};
  graph.layers.insert(graph.layers.end() - 1, plain("back", LayerKind::upsample_nearest, {"cat"}));
  EXPECT_EQ(size_multiple(graph), 4);
  layer_named(graph, "stem").pad = {0, 0, 1, 1};  // TensorFlow's 'same'
  EXPECT_EQ(size_multiple(graph), 4);
}

TEST(Graph, ParameterShapesAreTorchs) {
  const std::vector<ParameterShape> shapes = parameter_shapes(small_unet());
  const std::vector<ParameterShape> expected{{"stem.weight", {8, 6, 3, 3}},
                                             {"stem.bias", {8}},
                                             {"norm.weight", {8}},
                                             {"norm.bias", {8}},
                                             {"norm.running_mean", {8}},
                                             {"norm.running_var", {8}},
                                             {"bottom.weight", {16, 8, 3, 3}},
                                             {"bottom.bias", {16}},
                                             {"up.weight", {16, 8, 3, 3}},
                                             {"up.bias", {8}},
                                             {"head.weight", {1, 24, 1, 1}},
                                             {"head.bias", {1}}};
  EXPECT_EQ(shapes, expected);
}

TEST(Graph, WiringIsChecked) {
  expect_layer_refused(
      "norm", [](Layer& l) { l.name = "stem"; }, "'stem' has a name used before");
  expect_layer_refused(
      "stem", [](Layer& l) { l.name = "input"; }, "reserved");
  expect_layer_refused(
      "stem", [](Layer& l) { l.name = ""; }, "has no name");
  expect_layer_refused(
      "stem", [](Layer& l) { l.name = "a\nb"; }, "control character");
  expect_layer_refused(
      "relu", [](Layer& l) { l.inputs = {"up"}; }, "'relu' takes 'up', which no earlier layer");
  expect_layer_refused(
      "relu", [](Layer& l) { l.inputs = {"relu"}; }, "'relu' takes 'relu', which no earlier layer");
  expect_layer_refused(
      "relu", [](Layer& l) { l.inputs = {}; }, "'relu' has 0 inputs, not one");
  expect_layer_refused(
      "relu",
      [](Layer& l) {
        l.inputs = {"norm", "stem"};
      },
      "'relu' has 2 inputs, not one");
  expect_layer_refused(
      "cat", [](Layer& l) { l.inputs = {"up"}; }, "'cat' has 1 inputs, not two or more");
  expect_layer_refused(
      "head", [](Layer& l) { l.inputs = {"sum"}; }, "'cat' is used by no other");
}

TEST(Graph, SizesAndChannelsAreChecked) {
  expect_layer_refused(
      "cat",
      [](Layer& l) {
        l.inputs = {"up", "pool", "sum"};
      },
      "'cat' joins images of different size (up at 1/1 and pool at 1/2)");
  expect_layer_refused(
      "up", [](Layer& l) { l.channels = 0; }, "'up' has 0 channels");
  expect_layer_refused(
      "up", [](Layer& l) { l.channels = 1 << 30; }, "'up' has 1073741824 channels");
  expect_layer_refused(
      "head", [](Layer& l) { l.channels = 2; }, "'head' has 2 channels for 1 classes");
  expect_refused([](Graph& g) { g.activation = Activation::softmax; }, "use sigmoid");
  expect_refused([](Graph& g) { g.layers.push_back(plain("tail", LayerKind::max_pool, {"head"})); },
                 "'tail' is at 1/2 of the image's size");
  expect_refused([](Graph& g) { g.layers.clear(); }, "at least one layer");
}

TEST(Graph, AddNeedsEqualChannels) {
  expect_refused(
      [](Graph& g) {
        layer_named(g, "up").channels = 4;
        layer_named(g, "sum").inputs = {"wide", "block", "up"};
      },
      "'sum' adds 8 and 4 channels");
}

TEST(Graph, KernelsAreChecked) {
  expect_layer_refused(
      "stem", [](Layer& l) { l.kernel = 4; }, "'stem' has an even kernel size 4");
  expect_layer_refused(
      "stem", [](Layer& l) { l.kernel = 0; }, "'stem' has kernel size 0");
  expect_layer_refused(
      "stem", [](Layer& l) { l.kernel = 33; }, "'stem' has kernel size 33");
  expect_layer_refused(
      "stem", [](Layer& l) { l.stride = 3; }, "'stem' has stride 3");
  expect_layer_refused(
      "stem", [](Layer& l) { l.pad = {}; }, "'stem' has kernel size 3, stride 1 and pad [0, 0, 0, 0]");
  expect_layer_refused(
      "stem",
      [](Layer& l) {
        l.pad = {-1, 1, 3, 1};
      },
      "'stem' has pad [-1, 1, 3, 1]");
  expect_layer_refused(
      "up", [](Layer& l) { l.pad = {}; }, "'up' has kernel size 3 and pad [0, 0, 0, 0]");
  expect_layer_refused(
      "up", [](Layer& l) { l.stride = 1; }, "'up' has stride 1");
}

TEST(Graph, NumbersAreChecked) {
  expect_layer_refused(
      "norm", [](Layer& l) { l.epsilon = 0; }, "'norm' has an epsilon");
  expect_layer_refused(
      "norm", [](Layer& l) { l.momentum = 1.5F; }, "'norm' has a momentum");
  expect_refused([](Graph& g) { g.input.bands = 0; }, "no bands");
  expect_refused([](Graph& g) { g.input.mean.pop_back(); }, "6 bands");
  expect_refused([](Graph& g) { g.input.std[2] = 0; }, "std");
  expect_refused([](Graph& g) { g.input.mean[2] = std::numeric_limits<float>::quiet_NaN(); }, "mean");
}

TEST(GraphJson, RoundTripIsExact) {
  const Graph graph = small_unet();
  EXPECT_EQ(graph_from_json(to_json(graph)), graph);
  EXPECT_EQ(to_json(graph_from_json(to_json(graph))), to_json(graph));
}

TEST(GraphJson, TextIsStableAndReadable) {
  Graph graph;
  graph.input.bands = 2;
  graph.layers = {conv("stem", "input", 3), plain("norm", LayerKind::batch_norm, {"stem"})};
  graph.activation = Activation::softmax;
  graph.classes = 3;
  EXPECT_EQ(to_json(graph),
            R"({"format":"plume-graph-1","input":{"bands":2},"activation":"softmax","classes":3,"layers":[)"
            R"({"name":"stem","kind":"conv2d","inputs":["input"],"channels":3,"kernel":3,"stride":1,"pad":[1,1,1,1],)"
            R"("bias":true},{"name":"norm","kind":"batch_norm","inputs":["stem"],"epsilon":1e-05,"momentum":0.1,)"
            R"("unbiased_variance":true}]})");
}

// A graph of one 1x1 convolution with something replaced.
std::string replaced(std::string_view from, std::string_view to) {
  std::string text = R"({"format":"plume-graph-1","input":{"bands":2},"activation":"sigmoid","classes":1,"layers":[)"
                     R"({"name":"head","kind":"conv2d","inputs":["input"],"channels":1,"kernel":1}]})";
  const std::size_t position = text.find(from);
  EXPECT_NE(position, std::string::npos) << from;
  return text.replace(position, from.size(), to);
}

void expect_json_refused(std::string_view from, std::string_view to, std::string_view part) {
  SCOPED_TRACE(to);
  expect_input_error([&] { (void)graph_from_json(replaced(from, to)); }, "network graph: ", part);
}

TEST(GraphJson, DefaultsMayBeLeftOut) {
  const Graph graph = graph_from_json(replaced("", ""));
  EXPECT_EQ(graph.layers[0].stride, 1);
  EXPECT_FALSE(graph.layers[0].bias);
}

TEST(GraphJson, WhatIsWrongIsNamed) {
  expect_json_refused("conv2d", "conv3d", "layer 'head' has an unknown kind 'conv3d' (known: conv2d, ");
  expect_json_refused("\"kernel\":1", "\"kernel\":1,\"kernle\":1", "layer 'head' has an unknown key 'kernle'");
  expect_json_refused("\"kernel\":1", "\"kernel\":1,\"epsilon\":1", "layer 'head' has an unknown key 'epsilon'");
  expect_json_refused("\"kernel\":1", "\"stride\":1", "layer 'head' lacks the key 'kernel'");
  expect_json_refused("\"kernel\":1", "\"kernel\":1.5", "under 'kernel'");
  expect_json_refused("\"kernel\":1", "\"kernel\":4294967297", "under 'kernel'");
  expect_json_refused("\"kernel\":1", "\"kernel\":18446744073709551615", "under 'kernel'");
  expect_json_refused("\"kernel\":1", "\"kernel\":1,\"pad\":[0,0]", "[top, left, bottom, right]");
  expect_json_refused("[\"input\"]", "\"input\"", "under 'inputs' that is not a list");
  expect_json_refused("[\"input\"]", "[1]", "a list of text");
  expect_json_refused("sigmoid", "tanh", "unknown activation 'tanh' (known: sigmoid, softmax)");
  expect_json_refused("\"bands\":2", "\"bands\":2,\"mean\":[1e39,0]", "under 'mean'");
  expect_json_refused("\"classes\":1", "\"classes\":1,\"classes\":1", "\"classes\" twice");
  expect_json_refused("plume-graph-1", "plume-graph-9", "plume-graph-9");
  expect_json_refused("\"classes\":1", "\"classes\":2", "has 1 channels for 2 classes");
  expect_json_refused("}]}", "}]", "not valid JSON");
  expect_json_refused("{\"bands\":2}", "7", "is not a JSON object");
}

}  // namespace
}  // namespace plume::unet

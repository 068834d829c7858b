// Keras's layer graphs become ours, or are refused with the layer's name and class.
#include "unet/keras_config.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "../expect_error.hpp"
#include "keras_writer.hpp"

namespace plume::unet {
namespace {

using nlohmann::json;
using tests::expect_input_error;
using tests::KerasModelConfig;

Layer layer_named(const Graph& graph, std::string_view name) {
  const auto found = std::ranges::find(graph.layers, name, &Layer::name);
  EXPECT_NE(found, graph.layers.end()) << name;
  return found == graph.layers.end() ? Layer{} : *found;
}

std::vector<std::string> names(const Graph& graph) {
  std::vector<std::string> result;
  for (const Layer& layer : graph.layers) result.push_back(layer.name);
  return result;
}

// A U-Net with every supported layer.
KerasModelConfig everything() {
  KerasModelConfig model;
  model.input(6).conv("stem", "image", 8, 3, "relu");
  model.batch_norm("norm", "stem", {{"momentum", 0.01}});
  model.add("MaxPooling2D", "pool", {"norm"}, {{"pool_size", {2, 2}}, {"strides", {2, 2}}, {"padding", "valid"}});
  model.add("SpatialDropout2D", "drop", {"pool"}, {{"rate", 0.5}});
  model.conv("deep", "drop", 16, 3, "linear", {{"use_bias", false}});
  model.add("ReLU", "rectified", {"deep"}, {{"max_value", nullptr}, {"negative_slope", 0.0}, {"threshold", 0.0}});
  model.conv("up", "rectified", 8, 3, "relu", {{"output_padding", nullptr}, {"strides", {2, 2}}});
  model.add("UpSampling2D", "wide", {"pool"}, {{"size", {2, 2}}, {"interpolation", "bilinear"}});
  model.add("UpSampling2D", "block", {"pool"}, {{"size", {2, 2}}});
  model.add("Add", "sum", {"wide", "block"});
  model.add("Concatenate", "cat", {"up", "stem", "sum"}, {{"axis", -1}});
  model.conv("head", "cat", 1, 1, "linear", {{"padding", "valid"}});
  model.add("Activation", "probability", {"head"}, {{"activation", "sigmoid"}});
  model.add("Dropout", "last", {"probability"}, {{"rate", 0.1}});
  return model;
}

TEST(KerasConfig, EverySupportedLayerIsTranslated) {
  const Graph graph = graph_from_keras(everything().text("last"), true).graph;
  EXPECT_EQ(names(graph), (std::vector<std::string>{"stem", "stem.relu", "norm", "pool", "deep", "rectified", "up",
                                                    "up.relu", "wide", "block", "sum", "cat", "head"}));
  EXPECT_EQ(graph.input.bands, 6);
  EXPECT_EQ(graph.activation, Activation::sigmoid);
  EXPECT_EQ(graph.classes, 1);
  EXPECT_EQ(layer_named(graph, "norm").inputs, std::vector<std::string>{"stem.relu"});
  EXPECT_FLOAT_EQ(layer_named(graph, "norm").momentum, 0.99F);
  EXPECT_FLOAT_EQ(layer_named(graph, "norm").epsilon, 1e-3F);
  EXPECT_EQ(layer_named(graph, "deep").inputs, std::vector<std::string>{"pool"});
  EXPECT_FALSE(layer_named(graph, "deep").bias);
  EXPECT_EQ(layer_named(graph, "wide").kind, LayerKind::upsample_bilinear);
  EXPECT_EQ(layer_named(graph, "block").kind, LayerKind::upsample_nearest);
  EXPECT_EQ(layer_named(graph, "cat").inputs, (std::vector<std::string>{"up.relu", "stem.relu", "sum"}));
}

TEST(KerasConfig, SamePaddingIsTensorFlows) {
  struct Case {
    int kernel;
    int stride;
    bool transposed;
    std::array<int, 4> pad;
  };
  for (const Case& c :
       {Case{1, 1, false, {0, 0, 0, 0}}, Case{3, 1, false, {1, 1, 1, 1}}, Case{5, 1, false, {2, 2, 2, 2}},
        Case{3, 2, false, {0, 0, 1, 1}}, Case{5, 2, false, {1, 1, 2, 2}}, Case{1, 2, false, {0, 0, 0, 0}},
        Case{2, 2, true, {0, 0, 0, 0}}, Case{3, 2, true, {0, 0, 1, 1}}, Case{4, 2, true, {1, 1, 1, 1}}}) {
    KerasModelConfig model;
    model.input(2);
    json config{{"strides", {c.stride, c.stride}}};
    if (c.transposed) {
      config["output_padding"] = nullptr;
      model.add("MaxPooling2D", "half", {"image"}, {{"pool_size", {2, 2}}, {"strides", nullptr}});
      model.conv("conv", "half", 3, c.kernel, "linear", config).conv("head", "conv", 1, 1, "sigmoid");
    } else {
      model.conv("conv", "image", 3, c.kernel, "linear", config);
      const bool halved = c.stride == 2;
      if (halved) model.add("UpSampling2D", "back", {"conv"}, {{"size", {2, 2}}});
      model.conv("head", halved ? "back" : "conv", 1, 1, "sigmoid");
    }
    EXPECT_EQ(layer_named(graph_from_keras(model.text("head"), true).graph, "conv").pad, c.pad)
        << "kernel " << c.kernel << " stride " << c.stride;
  }
}

TEST(KerasConfig, BatchNormOptionsAreKept) {
  KerasModelConfig model;
  model.input(2).batch_norm("a", "image", {{"scale", false}, {"axis", 3}});
  model.batch_norm("b", "a", {{"center", false}, {"axis", -1}}).conv("head", "b", 1, 1, "sigmoid");
  for (const bool unbiased : {true, false}) {
    const KerasGraph keras = graph_from_keras(model.text("head"), unbiased);
    EXPECT_EQ(keras.without_scale, (std::set<std::string, std::less<>>{"a"}));
    EXPECT_EQ(keras.without_center, (std::set<std::string, std::less<>>{"b"}));
    EXPECT_EQ(keras.graph.layers[0].unbiased_variance, unbiased);
  }
}

TEST(KerasConfig, OutputActivationFollowsTheModel) {
  const auto graph_with = [](int classes, const std::string& activation) {
    KerasModelConfig model;
    model.input(2).conv("head", "image", classes, 1, activation);
    return graph_from_keras(model.text("head"), true).graph;
  };
  EXPECT_EQ(graph_with(1, "sigmoid").activation, Activation::sigmoid);
  EXPECT_EQ(graph_with(3, "sigmoid").activation, Activation::sigmoid);
  EXPECT_EQ(graph_with(3, "softmax").activation, Activation::softmax);
  EXPECT_EQ(graph_with(1, "linear").activation, Activation::sigmoid);
  EXPECT_EQ(graph_with(3, "linear").activation, Activation::softmax);
  EXPECT_EQ(graph_with(3, "linear").classes, 3);
  expect_input_error([&] { (void)graph_with(1, "softmax"); }, "softmax over 1 class");
  expect_input_error([&] { (void)graph_with(1, "relu"); }, "'head' is a relu");
}

TEST(KerasConfig, SequentialModelsAreChains) {
  const json conv{{"name", "head"}, {"filters", 1}, {"kernel_size", 1}, {"strides", 1}, {"activation", "sigmoid"}};
  json first = conv;
  first["batch_input_shape"] = {nullptr, 8, 8, 4};
  const json input{{"class_name", "InputLayer"}, {"config", {{"name", "x"}, {"batch_shape", {nullptr, 8, 8, 4}}}}};
  const json layer{{"class_name", "Conv2D"}, {"config", conv}};
  const json layer_with_shape{{"class_name", "Conv2D"}, {"config", first}};
  for (const json& config :
       {json{{"name", "s"}, {"layers", {input, layer}}}, json{{"layers", {layer_with_shape}}},
        json::array({layer_with_shape}), json{{"layers", {layer}}, {"build_input_shape", {nullptr, 8, 8, 4}}}}) {
    const Graph graph = graph_from_keras(json{{"class_name", "Sequential"}, {"config", config}}.dump(), true).graph;
    EXPECT_EQ(graph.input.bands, 4);
    EXPECT_EQ(names(graph), std::vector<std::string>{"head"});
  }
  const json shapeless{{"class_name", "Sequential"}, {"config", {{"layers", {layer}}}}};
  expect_input_error([&] { (void)graph_from_keras(shapeless.dump(), true); }, "no input shape");
}

TEST(KerasConfig, KerasThreesNotationIsRead) {
  const auto tensor = [](const char* layer) {
    return json{{"class_name", "__keras_tensor__"},
                {"config", {{"shape", {nullptr, 8, 8, 2}}, {"dtype", "float32"}, {"keras_history", {layer, 0, 0}}}}};
  };
  const auto node = [](json args) { return json::array({{{"args", std::move(args)}, {"kwargs", json::object()}}}); };
  json layers = json::array();
  layers.push_back({{"class_name", "InputLayer"},
                    {"config", {{"batch_shape", {nullptr, 8, 8, 2}}, {"name", "image"}}},
                    {"inbound_nodes", json::array()}});
  layers.push_back({{"module", "keras.layers"},
                    {"class_name", "Concatenate"},
                    {"config", {{"name", "cat"}, {"axis", -1}}},
                    {"inbound_nodes", node(json::array({json::array({tensor("image"), tensor("image")})}))}});
  layers.push_back(
      {{"class_name", "Conv2D"},
       {"config", {{"name", "head"}, {"filters", 1}, {"kernel_size", {1, 1}}, {"strides", {1, 1}}, {"groups", 1}}},
       {"inbound_nodes", node(json::array({tensor("cat")}))}});
  const json model{
      {"class_name", "Functional"},
      {"config", {{"layers", layers}, {"input_layers", {"image", 0, 0}}, {"output_layers", {{"head", 0, 0}}}}}};
  const Graph graph = graph_from_keras(model.dump(), false).graph;
  EXPECT_EQ(layer_named(graph, "cat").inputs, (std::vector<std::string>{"input", "input"}));
  EXPECT_EQ(layer_named(graph, "head").inputs, std::vector<std::string>{"cat"});
}

// A model whose layer "odd", after one convolution, is given.
void expect_refused(const std::string& class_name, json config, std::string_view part) {
  KerasModelConfig model;
  model.input(4).conv("stem", "image", 4, 3, "relu").add(class_name, "odd", {"stem"}, std::move(config));
  model.conv("head", "odd", 1, 1, "sigmoid");
  SCOPED_TRACE(class_name);
  expect_input_error([&] { (void)graph_from_keras(model.text("head"), true); }, "layer 'odd'", part);
}

TEST(KerasConfig, WhatIsNotSupportedIsNamed) {
  const auto conv = [](const char* key, json value) {
    json config{{"filters", 4}, {"kernel_size", {3, 3}}, {"strides", {1, 1}}, {"padding", "same"}};
    config[key] = std::move(value);
    return config;
  };
  expect_refused("DepthwiseConv2D", {},
                 "(DepthwiseConv2D) is of a class that is not supported (supported: Activation, Add");
  expect_refused("Functional", {}, "(Functional)");
  expect_refused("Conv2D", conv("dilation_rate", {2, 2}), "(Conv2D) is dilated");
  expect_refused("Conv2D", conv("groups", 2), "(Conv2D) has groups = 2, not 1");
  expect_refused("Conv2D", conv("data_format", "channels_first"), "channels_first");
  expect_refused("Conv2D", conv("activation", "swish"), "'swish'");
  expect_refused("Conv2D", conv("padding", "valid"), "trims the image");
  expect_refused("Conv2D", conv("padding", "causal"), "'causal'");
  expect_refused("Conv2D", conv("kernel_size", {3, 1}), "has kernel_size = [3,1], not a square");
  expect_refused("Conv2D", conv("kernel_size", {2, 2}), "even kernel size");
  expect_refused("Conv2D", conv("strides", {3, 3}), "stride 3");
  expect_refused("Conv2D", conv("filters", -1), "has -1 channels");
  expect_refused("Conv2D", conv("filters", 1e30), "filters");
  expect_refused("Conv2DTranspose", conv("output_padding", {1, 1}), "output_padding");
  expect_refused("MaxPooling2D", {{"pool_size", {3, 3}}, {"strides", {2, 2}}}, "(MaxPooling2D) pools otherwise");
  expect_refused("UpSampling2D", {{"size", {4, 4}}}, "(UpSampling2D) enlarges otherwise");
  expect_refused("UpSampling2D", {{"size", {2, 2}}, {"interpolation", "bicubic"}}, "'bicubic'");
  expect_refused("BatchNormalization", {{"axis", {1}}, {"momentum", 0.9}, {"epsilon", 1e-3}}, "another axis");
  expect_refused("ReLU", {{"max_value", 6.0}}, "(ReLU) has max_value = 6.0");
  expect_refused("Activation", {{"activation", "tanh"}}, "(Activation) has activation 'tanh'");
  expect_refused("Add", {}, "'odd' has 1 inputs");
  expect_refused("Concatenate", {{"axis", 1}}, "(Concatenate) joins along another axis");
}

TEST(KerasConfig, SigmoidInsideIsRefused) {
  KerasModelConfig model;
  model.input(4).conv("gate", "image", 4, 1, "sigmoid").conv("head", "gate", 1, 1, "sigmoid");
  expect_input_error([&] { (void)graph_from_keras(model.text("head"), true); }, "layer 'head' (Conv2D)", "'gate'");
}

TEST(KerasConfig, WiringOfOtherKindsIsRefused) {
  const auto refuse = [](const json& model, std::string_view part) {
    expect_input_error([&] { (void)graph_from_keras(model.dump(), true); }, part);
  };
  const json good = everything().json("last");
  json model = good;
  model["config"]["output_layers"].push_back({"head", 0, 0});
  refuse(model, "2 output_layers, not one");
  model = good;
  model["config"]["layers"][1]["inbound_nodes"].push_back(model["config"]["layers"][1]["inbound_nodes"][0]);
  refuse(model, "'stem' (Conv2D) is used 2 times");
  model = good;
  model["config"]["layers"][2]["inbound_nodes"][0][0][1] = 1;
  refuse(model, "'norm'");
  model = good;
  model["config"]["layers"][1]["inbound_nodes"][0][0][0] = "last";
  refuse(model, "'stem' (Conv2D) takes 'last'");
  model = good;
  model["config"]["layers"].push_back(model["config"]["layers"][1]);
  refuse(model, "'stem' (Conv2D) has a name used before");
  model = good;
  model["config"]["output_layers"][0][0] = "deep";
  refuse(model, "'deep' is not its last layer");
  model = good;
  model["class_name"] = "MyModel";
  refuse(model, "'MyModel'");
  for (const char* text :
       {"", "7", "[]", "{}", "null", "{\"class_name\":\"Model\"}",
        "{\"class_name\":\"Model\",\"config\":{\"layers\":[3]}}", "{\"class_name\":\"Sequential\",\"config\":[]}"}) {
    expect_input_error([&] { (void)graph_from_keras(text, true); });
  }
}

// Whatever single value of a good description is replaced, the answer is a graph or one line.
TEST(KerasConfig, MutatedDescriptionsNeverCrash) {
  const json flat = everything().json("last").flatten();
  for (const auto& [path, original] : flat.items()) {
    for (const json& value :
         {json(), json(-1), json(1e300), json("x"), json(true), json::array({2, 2}), json::object()}) {
      json changed = flat;
      changed[path] = value.is_structured() ? json(0) : value;
      json model = changed.unflatten();
      if (value.is_structured()) model[json::json_pointer(path)] = value;
      try {
        validate(graph_from_keras(model.dump(), true).graph);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
      }
    }
  }
}

}  // namespace
}  // namespace plume::unet

// plume import keras | torch
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "unet/checkpoint.hpp"
#include "unet/command.hpp"
#include "unet/config.hpp"
#include "unet/import_keras.hpp"
#include "unet/import_torch.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string input;
  std::string config;
  std::string output;
};

int write(const Arguments& arguments, const Graph& graph, const std::vector<nn::NamedTensor>& parameters) {
  Network network(graph);
  load_parameters(network, parameters);
  save_model(arguments.output, network, {}, "");
  fmt::print("{}: {} layers, {} parameters, {} bands in, {} out\n", arguments.output, graph.layers.size(),
             network.parameters().trainable_count(), graph.input.bands, graph.classes);
  return 0;
}

int run_keras(const Arguments& arguments) {
  const KerasModel model = read_keras_h5(arguments.input);
  return write(arguments, model.graph, model.parameters);
}

int run_torch(const Arguments& arguments) {
  const Graph graph = arguments.config.empty() ? graph_of_torch_safetensors(arguments.input)
                                               : build_graph(load_config(arguments.config, {}).model);
  return write(arguments, graph, read_torch_safetensors(arguments.input, graph));
}

}  // namespace

void add_import_commands(CLI::App& app, Action& action) {
  CLI::App* import_app = app.add_subcommand("import", "Takes models from other tools: keras, torch");
  import_app->require_subcommand(1);

  auto keras = std::make_shared<Arguments>();
  CLI::App* keras_app = import_app->add_subcommand("keras", "A U-Net saved by Keras as HDF5");
  keras_app->add_option("model", keras->input, "The .h5 file")->required();
  keras_app->add_option("-o,--output", keras->output, "The .safetensors to write")->required();
  keras_app->footer("Example: plume import keras smoke_wmts_ref_3layer.h5 -o tutorial.safetensors");
  keras_app->callback([keras, &action] { action = [keras] { return run_keras(*keras); }; });

  auto torch = std::make_shared<Arguments>();
  CLI::App* torch_app = import_app->add_subcommand("torch", "PyTorch weights of a U-Net");
  torch_app
      ->add_option("weights", torch->input,
                   "A .safetensors with plume's parameter names, or those of milesial/Pytorch-UNet")
      ->required();
  torch_app->add_option("--config", torch->config,
                        "A training configuration; its [model] says which U-Net. Milesial's names say it themselves");
  torch_app->add_option("-o,--output", torch->output, "The .safetensors to write")->required();
  torch_app->footer(
      "Example: plume import torch weights.safetensors --config configs/smoke-goes16.toml -o model.safetensors");
  torch_app->callback([torch, &action] { action = [torch] { return run_torch(*torch); }; });
}

}  // namespace plume::unet

// plume export
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "kernels/base/atomic_file.hpp"
#include "unet/command.hpp"
#include "unet/export_keras.hpp"
#include "unet/export_onnx.hpp"
#include "unet/export_sagemaker.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string model;
  std::string output;
  ExportOptions options;
};

int write(const std::string& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
  fmt::print("{}: {:.2f} MB\n", path, static_cast<double>(bytes.size()) / 1e6);
  return 0;
}

int run_sagemaker(Arguments arguments) {
  if (arguments.options.name.empty()) arguments.options.name = std::filesystem::path(arguments.model).stem().string();
  return write(arguments.output, export_sagemaker(arguments.model, arguments.options));
}

int run_onnx(const Arguments& arguments) {
  const std::string bytes = export_onnx(arguments.model);
  return write(arguments.output, std::as_bytes(std::span(bytes)));
}

int run_keras(const Arguments& arguments) {
  return write(arguments.output, export_keras(arguments.model));
}

CLI::App* add_command(CLI::App& commands, const char* name, const char* description,
                      const std::shared_ptr<Arguments>& arguments) {
  CLI::App* command = commands.add_subcommand(name, description);
  command->add_option("model", arguments->model, "A .safetensors that plume wrote")->required();
  command->add_option("-o,--output", arguments->output, "The file to write")->required();
  return command;
}

}  // namespace

void add_export_commands(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* commands = app.add_subcommand("export", "Writes models for other places to run them");
  commands->require_subcommand(1);

  CLI::App* sagemaker =
      add_command(*commands, "sagemaker", "model.tar.gz for an endpoint that runs plume-infer", arguments);
  sagemaker->add_option("--name", arguments->options.name, "Of the model, for people; by default the file's");
  sagemaker->add_option("--threshold", arguments->options.threshold, "Smoke is where the probability is above")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  sagemaker->footer("Example: plume export sagemaker runs/first/best.safetensors -o model.tar.gz");
  sagemaker->callback([arguments, &action] { action = [arguments] { return run_sagemaker(*arguments); }; });

  CLI::App* onnx =
      add_command(*commands, "onnx", "An .onnx, opset 17, from pixels as stored to probabilities", arguments);
  onnx->footer("Example: plume export onnx runs/first/best.safetensors -o smoke.onnx");
  onnx->callback([arguments, &action] { action = [arguments] { return run_onnx(*arguments); }; });

  CLI::App* keras = add_command(*commands, "keras", "An .h5 that Keras 2 and 3 load as a whole model", arguments);
  keras->footer("Example: plume export keras runs/first/best.safetensors -o smoke.h5");
  keras->callback([arguments, &action] { action = [arguments] { return run_keras(*arguments); }; });
}

}  // namespace plume::unet

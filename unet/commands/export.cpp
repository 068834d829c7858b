// plume export sagemaker
#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <string>

#include "kernels/base/atomic_file.hpp"
#include "unet/command.hpp"
#include "unet/export_sagemaker.hpp"

namespace plume::unet {
namespace {

struct Arguments {
  std::string model;
  std::string output;
  ExportOptions options;
};

int run_sagemaker(Arguments arguments) {
  if (arguments.options.name.empty()) arguments.options.name = std::filesystem::path(arguments.model).stem().string();
  const auto archive = export_sagemaker(arguments.model, arguments.options);
  AtomicFile file(arguments.output);
  file.write(archive);
  file.commit();
  fmt::print("{}: {:.2f} MB\n", arguments.output, static_cast<double>(archive.size()) / 1e6);
  return 0;
}

}  // namespace

void add_export_commands(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* commands = app.add_subcommand("export", "Writes models for other places to run them");
  commands->require_subcommand(1);
  CLI::App* command = commands->add_subcommand("sagemaker", "model.tar.gz for an endpoint that runs plume-infer");
  command->add_option("model", arguments->model, "A .safetensors that plume wrote")->required();
  command->add_option("-o,--output", arguments->output, "The archive to write")->required();
  command->add_option("--name", arguments->options.name, "Of the model, for people; by default the file's");
  command->add_option("--threshold", arguments->options.threshold, "Smoke is where the probability is above")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  command->footer("Example: plume export sagemaker runs/first/best.safetensors -o model.tar.gz");
  command->callback([arguments, &action] { action = [arguments] { return run_sagemaker(*arguments); }; });
}

}  // namespace plume::unet

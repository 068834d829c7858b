// --device, --precision, --conv, --tile, --simplify.
#include "unet/cli/run_options.hpp"

#include "unet/cli/choice_option.hpp"

namespace plume::unet {
namespace {

void add_conv_option(CLI::App& command, DeviceSettings& settings) {
  add_choice(command, "--conv", "3x3 convolutions on the CPU; auto: the faster for each shape", settings.conv,
             conv_names);
}

}  // namespace

void add_device_options(CLI::App& command, DeviceSettings& settings) {
  add_choice(command, "--device", "Where to compute; auto: on CUDA where there is a device", settings.kind,
             device_names);
  add_choice(command, "--precision", "f32; on CUDA also tf32 and bf16; on the CPU also int8 (plume quantize)",
             settings.precision, inference_precision_names);
  add_conv_option(command, settings);
}

void add_tile_option(CLI::App& command, int& edge) {
  command
      .add_option(
          "--tile", edge,
          "Largest edge of the tiles that large images are cut into, without a seam; 0: as 1 GiB (CUDA: 4) allows")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
}

void add_simplify_option(CLI::App& command, double& tolerance) {
  command.add_option("--simplify", tolerance, "How many pixels polygons may be off, for fewer corners")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
}

void add_arithmetic_options(CLI::App& command, DeviceSettings& settings) {
  add_choice(command, "--precision", "f32; on CUDA also tf32 and bf16", settings.precision, precision_names);
  add_conv_option(command, settings);
}

}  // namespace plume::unet

// --device, --precision, --conv, --threads, --tile, --blend, --overlap, --tta, --simplify, --min-area.
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

void add_threads_option(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "0: all cores")
      ->capture_default_str()
      ->check(CLI::Range(0, kernels::CpuStream::largest_team));
}

void add_tile_option(CLI::App& command, int& edge) {
  command
      .add_option("--tile", edge,
                  "Largest edge of the tiles that large images are cut into; 0: as 2 GiB (CUDA: 4) allows")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
}

void add_blend_options(CLI::App& command, TileSettings& tiles) {
  add_choice(command, "--blend",
             "How tiles become an image: crop, as if it were not cut; smooth, means of overlapping tiles", tiles.blend,
             blend_names);
  CLI::Option* overlap =
      command.add_option("--overlap", tiles.overlap, "Of smoothly blended tiles, as a share of their edge")
          ->capture_default_str()
          ->check(CLI::Range(0.0, 0.95));
  command.parse_complete_callback([overlap, &tiles] {
    if (overlap->count() > 0 && tiles.blend != Blend::smooth)
      throw CLI::ValidationError("--overlap", "is of --blend smooth; add that, or leave it out");
  });
}

void add_test_time_option(CLI::App& command, TestTime& test_time) {
  add_choice(
      command, "--tta",
      "Test-time augmentation, the mean over several images of one: flips, 4 of them, or turns, 8; none: as it is",
      test_time, test_time_names);
}

void add_simplify_option(CLI::App& command, double& tolerance) {
  command.add_option("--simplify", tolerance, "How many pixels polygons may be off, for fewer corners")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
}

void add_least_area_option(CLI::App& command, std::int64_t& least_area) {
  command.add_option("--min-area", least_area, "Pixels; smaller regions are no smoke")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
}

void add_arithmetic_options(CLI::App& command, DeviceSettings& settings) {
  add_choice(command, "--precision", "f32; on CUDA also tf32 and bf16", settings.precision, precision_names);
  add_conv_option(command, settings);
}

}  // namespace plume::unet

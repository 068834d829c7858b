#include "unet/commands/scene_options.hpp"

#include <map>
#include <string>

namespace plume::unet {

std::vector<CLI::Option*> add_scene_options(CLI::App& command, data::abi::SceneOptions& options) {
  using data::geo::Resampling;
  static const std::map<std::string, Resampling> resampling_names{
      {"nearest", Resampling::nearest}, {"bilinear", Resampling::bilinear}, {"mean", Resampling::mean}};
  using data::abi::Scaling;
  std::vector<CLI::Option*> added;
  added.push_back(command
                      .add_option_function<std::string>(
                          "--scaling",
                          [&options](const std::string& name) {
                            options.scaling = name == "bytes" ? Scaling::bytes : Scaling::physical;
                          },
                          "C01 to C06 as NASA-IMPACT's bytes, or physical: reflectance")
                      ->check(CLI::IsMember({"bytes", "physical"}))
                      ->default_str("bytes"));
  added.push_back(
      command
          .add_option_function<std::string>(
              "--resampling", [&options](const std::string& name) { options.resampling = resampling_names.at(name); },
              "nearest, bilinear, or mean: bilinear, but the mean where pixels are larger than the satellite's")
          ->check(CLI::IsMember(resampling_names))
          ->default_str("mean"));
  added.push_back(command
                      .add_option("--max-sun-zenith", options.max_sun_zenith,
                                  "Where the sun stands further from the zenith, in degrees, nothing counts")
                      ->check(CLI::Range(0.0, 180.0))
                      ->capture_default_str());
  added.push_back(command.add_flag("--divide-by-sun", options.divide_by_sun,
                                   "Divide reflectances by the cosine of the sun's zenith angle"));
  for (CLI::Option* option : added) option->group("For ABI files");
  return added;
}

}  // namespace plume::unet

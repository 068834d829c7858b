// plume predict
#include "unet/inference/predict.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/geo/places.hpp"
#include "kernels/base/error.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"
#include "unet/commands/geotiff_results.hpp"
#include "unet/commands/predict_inputs.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/results.hpp"
#include "unet/inference/scene.hpp"

namespace plume::unet {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string model;
  InputOptions input;
  std::string output;
  SceneSettings scene;
  std::vector<std::string> formats{"tif", "png"};
  int threads = 0;
  double simplify = 0;
  TileSettings tiles;
  TestTime test_time = TestTime::none;
  DeviceSettings device;
  bool json = false;
};

ResultKind kind_of(const std::string& format) {
  if (format == "png") return ResultKind::overlay;
  return std::find_if(result_names.begin(), result_names.end(), [&](const auto& pair) { return pair.first == format; })
      ->second;
}

// Georeferenced results are GDAL's, which knows any projection.
std::vector<std::unique_ptr<ResultWriter>> writers_for(const Arguments& arguments, const Input& input,
                                                       data::ImageRows& image, int classes,
                                                       const std::vector<int>& bands) {
  const std::string stem = (fs::path(arguments.output) / input.stem).string();
  const ResultImage of{image.shape(), classes, image.georeference(), input.name};
  ResultOptions options{.bands = bands, .tolerance = arguments.simplify};
  std::vector<std::unique_ptr<ResultWriter>> writers;
  for (const std::string& format : arguments.formats) {
    if (format == "tif" || format == "cog") {
      writers.push_back(make_geotiff_writer(
          stem, of, format == "tif" ? data::GeotiffLayout::tiled : data::GeotiffLayout::cloud_optimized));
      continue;
    }
    if (format == "png") options.stretch = stretch_of(image, bands);
    if (format == "geojson" || format == "kml") options.to_lon_lat = data::geo::places_of(of.georeference);
    writers.push_back(make_file_writer(stem + ending_of(kind_of(format)), kind_of(format), of, options));
  }
  return writers;
}

int run_predict(const Arguments& arguments) {
  const auto asked = [&](const char* format) {
    return std::find(arguments.formats.begin(), arguments.formats.end(), format) != arguments.formats.end();
  };
  if (arguments.simplify > 0 && !asked("geojson") && !asked("kml"))
    throw usage_error("--simplify is of polygons; add --format geojson or kml, or leave it out");
  if (asked("tif") && asked("cog")) throw usage_error("--format tif and cog have the same names; choose one of them");
  const auto bands = data::parse_bands(arguments.input.bands);
  kernels::Stream stream = make_stream(arguments.device, arguments.threads);
  const Network network = fold_norms(load_model(arguments.model, element_type(arguments.device.precision), &stream));
  const Graph& graph = network.graph();
  const auto inputs = find_inputs(arguments.input, graph.input.bands);
  Predictor predictor(network, ranges_for(arguments.model, arguments.device.precision));
  predictor.average_over(arguments.test_time);
  predictor.set_tiles(arguments.tiles);
  std::error_code failed;
  fs::create_directories(arguments.output, failed);
  if (failed) throw environment_error("cannot create {}: {}", arguments.output, failed.message());

  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const Input& input : inputs) {
    const auto image = input.open();
    require_bands(graph, image->shape().channels, input.name);
    const double share = predict_scene(predictor, graph, *image, arguments.scene,
                                       writers_for(arguments, input, *image, graph.classes, bands));
    report.push_back({{"input", input.name}, {"smoke_fraction", share}});
    if (!arguments.json) fmt::print("{}: {:.2f} % smoke\n", fs::path(input.name).filename().string(), 100 * share);
  }
  if (arguments.json) fmt::print("{}\n", report.dump(2));
  return 0;
}

}  // namespace

void add_predict_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("predict", "Finds smoke in images: masks, probabilities, pictures");
  command->add_option("--model", arguments->model, "A .safetensors that plume wrote")->required();
  add_input_options(*command, arguments->input);
  command->add_option("--output", arguments->output, "Folder for the results")->required();
  command->add_option("--threshold", arguments->scene.threshold, "Smoke is where the probability is above")
      ->capture_default_str()
      ->check(CLI::Range(0.0F, 1.0F));
  command
      ->add_option("--format", arguments->formats,
                   "tif: mask and probability, georeferenced; cog: the same, cloud-optimised; png: overlay; npy: "
                   "probability; geojson, kml: polygons")
      ->delimiter(',')
      ->check(CLI::IsMember({"tif", "cog", "png", "npy", "geojson", "kml"}))
      ->capture_default_str();
  add_simplify_option(*command, arguments->simplify);
  add_least_area_option(*command, arguments->scene.least_area);
  add_tile_option(*command, arguments->tiles.edge);
  add_blend_options(*command, arguments->tiles);
  add_test_time_option(*command, arguments->test_time);
  add_threads_option(*command, arguments->threads);
  add_device_options(*command, arguments->device);
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->footer("Example: plume predict --model runs/first/best.safetensors --input tiles/ --output pictures");
  command->callback([arguments, &action] { action = [arguments] { return run_predict(*arguments); }; });
}

}  // namespace plume::unet

// plume predict
#include "unet/inference/predict.hpp"

#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/formats/geotiff_write.hpp"
#include "data/geo/places.hpp"
#include "kernels/base/error.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/command.hpp"
#include "unet/commands/predict_inputs.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/results.hpp"

namespace plume::unet {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string model;
  InputOptions input;
  std::string output;
  float threshold = 0.5F;
  std::vector<std::string> formats{"tif", "png"};
  int threads = 0;
  double simplify = 0;
  int tile = 0;
  DeviceSettings device;
  bool json = false;
};

ResultKind kind_of(const std::string& format) {
  if (format == "npy") return ResultKind::npy;
  return format == "geojson" ? ResultKind::geojson : ResultKind::overlay;
}

// Georeferenced results are GDAL's, which knows any projection.
void write(const Prediction& prediction, const data::Raster& image, const fs::path& stem,
           const std::vector<std::string>& formats, ResultOptions options) {
  const auto file = [&](const char* ending) { return fs::path(stem.string() + ending); };
  const data::ImageShape plane{image.height, image.width, 1};
  for (const std::string& format : formats) {
    if (format == "tif") {
      data::write_geotiff(file("_mask.tif"), plane, mask_of(prediction), image.georeference);
      data::write_geotiff(file("_probability.tif"), {image.height, image.width, prediction.classes},
                          prediction.probability, image.georeference);
      continue;
    }
    const ResultKind kind = kind_of(format);
    if (kind == ResultKind::geojson) options.to_lon_lat = data::geo::places_of(image.georeference);
    write_result(file(ending_of(kind)), kind, prediction, image, options);
  }
}

int run_predict(const Arguments& arguments) {
  const auto bands = data::parse_bands(arguments.input.bands);
  kernels::Stream stream = make_stream(arguments.device, arguments.threads);
  const Network network = fold_norms(load_model(arguments.model, element_type(arguments.device.precision), &stream));
  const Graph& graph = network.graph();
  const auto inputs = find_inputs(arguments.input, graph.input.bands);
  Predictor predictor(network, ranges_for(arguments.model, arguments.device.precision));
  predictor.limit_tiles({.edge = arguments.tile});
  std::error_code failed;
  fs::create_directories(arguments.output, failed);
  if (failed) throw environment_error("cannot create {}: {}", arguments.output, failed.message());

  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const Input& input : inputs) {
    const data::Raster image = input.read();
    require_bands(graph, image.bands, input.name);
    const Prediction prediction = decide(predictor.probabilities(image.pixels.data(), 1, image.height, image.width),
                                         image, graph.classes, arguments.threshold);
    write(prediction, image, fs::path(arguments.output) / input.stem, arguments.formats,
          {.bands = bands, .tolerance = arguments.simplify});
    const double share = prediction.smoke_fraction();
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
  command->add_option("--threshold", arguments->threshold, "Smoke is where the probability is above")
      ->capture_default_str()
      ->check(CLI::Range(0.0F, 1.0F));
  command
      ->add_option("--format", arguments->formats,
                   "tif: mask and probability, georeferenced; png: overlay; npy: probability; geojson: polygons")
      ->delimiter(',')
      ->check(CLI::IsMember({"tif", "png", "npy", "geojson"}))
      ->capture_default_str();
  add_simplify_option(*command, arguments->simplify);
  add_tile_option(*command, arguments->tile);
  command->add_option("--threads", arguments->threads, "0: all cores")->capture_default_str();
  add_device_options(*command, arguments->device);
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->footer("Example: plume predict --model runs/first/best.safetensors --input tiles/ --output pictures");
  command->callback([arguments, &action] { action = [arguments] { return run_predict(*arguments); }; });
}

}  // namespace plume::unet

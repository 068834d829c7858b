// plume-infer predict
#include "unet/inference/predict.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "data/images/image_names.hpp"
#include "data/images/image_read.hpp"
#include "data/images/image_rows.hpp"
#include "data/images/text.hpp"
#include "kernels/base/error.hpp"
#include "unet/cli/run_options.hpp"
#include "unet/inference/find_model.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/results.hpp"
#include "unet/inference/scene.hpp"

namespace plume::unet::infer {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string model;
  std::string input;
  std::string output;
  std::vector<std::string> formats;
  std::string bands;
  double simplify = 0;
  std::int64_t least_area = 0;
  std::optional<float> threshold;  // none: what the model says, or 0.5
  int threads = 0;
  TileSettings tiles;
  TestTime test_time = TestTime::none;
  DeviceSettings device;
};

// One image, and a file for each kind of result of it.
struct Work {
  fs::path image;
  std::vector<std::pair<ResultKind, fs::path>> results;
};

ResultKind kind_named(const std::string& name) {
  return std::find_if(result_names.begin(), result_names.end(), [&](const auto& pair) { return pair.first == name; })
      ->second;
}

// By the extension of the one file that is asked for; none where it is a folder.
std::optional<ResultKind> kind_of_file(const fs::path& output) {
  const std::string extension = data::lower_case(output.extension().string());
  if (fs::is_directory(output)) return std::nullopt;
  if (extension == ".png") return ResultKind::mask;
  if (extension == ".geojson") return ResultKind::geojson;
  if (extension == ".kml") return ResultKind::kml;
  if (extension == ".npy") return ResultKind::npy;
  if (extension == ".tif" || extension == ".tiff") return ResultKind::tif;
  return std::nullopt;
}

// PNGs may be either picture.
ResultKind with_format(ResultKind by_extension, const Arguments& arguments) {
  if (arguments.formats.empty()) return by_extension;
  const ResultKind asked = kind_named(arguments.formats.front());
  const fs::path ending = ending_of(asked);
  if (arguments.formats.size() > 1 || kind_of_file(ending.filename()) != by_extension)
    throw usage_error("{} cannot hold the format {}; name a folder instead", arguments.output,
                      fmt::join(arguments.formats, ","));
  return asked;
}

std::vector<Work> plan(const Arguments& arguments) {
  const fs::path output = arguments.output;
  const bool folder = fs::is_directory(arguments.input);
  if (const auto kind = kind_of_file(output); kind && !folder)
    return {{arguments.input, {{with_format(*kind, arguments), output}}}};
  const auto images =
      folder ? data::list_images(arguments.input, data::image_extensions) : std::vector<fs::path>{arguments.input};
  std::vector<std::string> formats = arguments.formats;
  if (formats.empty()) formats = {"mask", "npy"};
  std::vector<Work> works;
  for (const fs::path& image : images) {
    Work work{image, {}};
    for (const std::string& name : formats) {
      const ResultKind kind = kind_named(name);
      work.results.emplace_back(kind, output / (image.stem().string() + ending_of(kind)));
    }
    works.push_back(std::move(work));
  }
  std::error_code failed;
  fs::create_directories(output, failed);
  if (failed) throw environment_error("cannot create {}: {}", output.string(), failed.message());
  return works;
}

int run_predict(const Arguments& arguments) {
  const auto bands = data::parse_bands(arguments.bands);
  const auto works = plan(arguments);
  const auto is_polygons = [](const auto& result) {
    return result.first == ResultKind::geojson || result.first == ResultKind::kml;
  };
  if (arguments.simplify > 0 && std::none_of(works.begin(), works.end(), [&](const Work& work) {
        return std::ranges::any_of(work.results, is_polygons);
      }))
    throw usage_error("--simplify is of polygons; ask for geojson or kml, or leave it out");
  const FoundModel model = find_model(arguments.model);
  const SceneSettings settings{arguments.threshold.value_or(model.threshold.value_or(0.5F)), arguments.least_area};
  kernels::Stream stream = make_stream(arguments.device, arguments.threads);
  const Network network = fold_norms(load_model(model.file, element_type(arguments.device.precision), &stream));
  Predictor predictor(network, ranges_for(model.file, arguments.device.precision));
  predictor.average_over(arguments.test_time);
  predictor.set_tiles(arguments.tiles);
  const Graph& graph = network.graph();
  for (const Work& work : works) {
    data::WholeImage image(data::read_image(work.image, bands));
    require_bands(graph, image.shape().channels, work.image.string());
    const ResultImage of{image.shape(), graph.classes, image.georeference(), work.image.string()};
    std::vector<std::unique_ptr<ResultWriter>> writers;
    for (const auto& [kind, path] : work.results) {
      ResultOptions options{.bands = bands, .tolerance = arguments.simplify};
      if (kind == ResultKind::overlay) options.stretch = stretch_of(image, bands);
      writers.push_back(make_file_writer(path, kind, of, options));
    }
    const double share = predict_scene(predictor, graph, image, settings, writers);
    fmt::print("{}: {:.2f} % smoke\n", work.image.filename().string(), 100 * share);
  }
  return 0;
}

}  // namespace

void add_predict_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("predict", "Finds smoke in images: masks, probabilities, pictures");
  command->add_option("model", arguments->model, "A .safetensors that plume wrote, or a folder with one")->required();
  command->add_option("input", arguments->input, "An image (TIFF, PNG, .npy), or a folder of them")->required();
  command
      ->add_option("-o,--output", arguments->output,
                   "A file (.png: the mask; .npy, .tif: probability; .geojson, .kml: polygons), or a folder")
      ->required();
  std::vector<std::string> names(result_names.size());
  std::transform(result_names.begin(), result_names.end(), names.begin(), [](const auto& pair) { return pair.first; });
  command->add_option("--format", arguments->formats, "Of a folder's files, by default mask and npy; of a .png, which")
      ->delimiter(',')
      ->check(CLI::IsMember(names));
  command->add_option("--bands", arguments->bands, "Bands to take, counted from 1, e.g. 1-6");
  command
      ->add_option("--threshold", arguments->threshold,
                   "Smoke is where the probability is above; by default as a folder's model.json says, or 0.5")
      ->check(CLI::Range(0.0F, 1.0F));
  add_simplify_option(*command, arguments->simplify);
  add_least_area_option(*command, arguments->least_area);
  add_tile_option(*command, arguments->tiles.edge);
  add_blend_options(*command, arguments->tiles);
  add_test_time_option(*command, arguments->test_time);
  add_threads_option(*command, arguments->threads);
  add_device_options(*command, arguments->device);
  command->footer("Example: plume-infer predict model.safetensors tiles/ -o results");
  command->callback([arguments, &action] { action = [arguments] { return run_predict(*arguments); }; });
}

}  // namespace plume::unet::infer

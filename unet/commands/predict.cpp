// plume predict
#include "unet/inference/predict.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/formats/geotiff_write.hpp"
#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "data/images/raster.hpp"
#include "kernels/base/error.hpp"
#include "unet/command.hpp"
#include "unet/commands/predict_inputs.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/overlay.hpp"

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
  DeviceSettings device;
  bool json = false;
};

// What the network says of one image.
struct Prediction {
  std::vector<float> probability;     // [height, width, classes]
  std::vector<std::uint8_t> classes;  // [height, width]; of one class: 1 where above the threshold
  std::vector<float> winner;          // [height, width], probability of the class
};

Prediction decide(std::vector<float> probability, int classes, float threshold) {
  Prediction result{std::move(probability), {}, {}};
  const std::size_t pixels = result.probability.size() / static_cast<std::size_t>(classes);
  result.classes.resize(pixels);
  result.winner.resize(pixels);
  for (std::size_t p = 0; p < pixels; ++p) {
    const float* values = result.probability.data() + p * static_cast<std::size_t>(classes);
    const auto best = classes == 1 ? 0 : std::max_element(values, values + classes) - values;
    result.winner[p] = values[best];
    result.classes[p] =
        classes == 1 ? static_cast<std::uint8_t>(values[0] > threshold) : static_cast<std::uint8_t>(best);
  }
  return result;
}

// Fill pixels are no smoke, whatever the network makes of their zeros.
void blank_invalid(Prediction& prediction, const data::Raster& image, int classes) {
  for (std::size_t p = 0; p < image.valid.size(); ++p) {
    if (image.valid[p] != 0) continue;
    prediction.classes[p] = 0;
    prediction.winner[p] = 0;
    std::fill_n(prediction.probability.begin() + static_cast<std::ptrdiff_t>(p) * classes, classes, 0.0F);
  }
}

void write(const Prediction& prediction, const data::Raster& image, const fs::path& stem, int classes,
           const std::vector<std::string>& formats, const std::vector<int>& bands) {
  const auto file = [&](const char* ending) { return fs::path(stem.string() + ending); };
  const data::ImageShape whole{image.height, image.width, classes};
  const data::ImageShape plane{image.height, image.width, 1};
  for (const std::string& format : formats) {
    if (format == "tif") {
      std::vector<std::uint8_t> mask = prediction.classes;
      if (classes == 1) std::for_each(mask.begin(), mask.end(), [](std::uint8_t& value) { value = value ? 255 : 0; });
      data::write_geotiff(file("_mask.tif"), plane, mask, image.georeference);
      data::write_geotiff(file("_probability.tif"), whole, prediction.probability, image.georeference);
    } else if (format == "npy") {
      const std::array<std::int64_t, 3> shape{image.height, image.width, classes};
      data::write_npy(file("_probability.npy"), shape, prediction.probability);
    } else {
      data::write_png(file("_overlay.png"), {image.height, image.width, 3},
                      draw_overlay(image, prediction.classes, prediction.winner, bands));
    }
  }
}

int run_predict(const Arguments& arguments) {
  const auto bands = data::parse_bands(arguments.input.bands);
  kernels::Stream stream = make_stream(arguments.device, arguments.threads);
  const Network network = fold_norms(load_model(arguments.model, element_type(arguments.device.precision), &stream));
  const Graph& graph = network.graph();
  const auto inputs = find_inputs(arguments.input, graph.input.bands);
  Predictor predictor(network, ranges_for(arguments.model, arguments.device.precision));
  std::error_code failed;
  fs::create_directories(arguments.output, failed);
  if (failed) throw environment_error("cannot create {}: {}", arguments.output, failed.message());

  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const Input& input : inputs) {
    const data::Raster image = input.read();
    if (image.bands != graph.input.bands) {
      throw input_error(
          "{}: has {} bands, the model takes {}{}", input.name, image.bands, graph.input.bands,
          image.bands > graph.input.bands ? fmt::format("; choose with --bands 1-{}", graph.input.bands) : "");
    }
    Prediction prediction = decide(predictor.probabilities(image.pixels.data(), 1, image.height, image.width),
                                   graph.classes, arguments.threshold);
    blank_invalid(prediction, image, graph.classes);
    write(prediction, image, fs::path(arguments.output) / input.stem, graph.classes, arguments.formats, bands);
    const auto found =
        std::count_if(prediction.classes.begin(), prediction.classes.end(), [](auto c) { return c != 0; });
    const double share = static_cast<double>(found) / static_cast<double>(prediction.classes.size());
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
                   "tif: mask and probability, georeferenced; png: overlay; npy: probability")
      ->delimiter(',')
      ->check(CLI::IsMember({"tif", "png", "npy"}))
      ->capture_default_str();
  command->add_option("--threads", arguments->threads, "0: all cores")->capture_default_str();
  add_device_options(*command, arguments->device);
  command->add_flag("--json", arguments->json, "Report as JSON");
  command->footer("Example: plume predict --model runs/first/best.safetensors --input tiles/ --output pictures");
  command->callback([arguments, &action] { action = [arguments] { return run_predict(*arguments); }; });
}

}  // namespace plume::unet

// By the chosen type to the encoder.
#include "unet/serve/encode.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "data/images/npy.hpp"
#include "data/images/raster.hpp"
#include "unet/inference/prediction.hpp"
#include "unet/inference/results.hpp"
#include "unet/inference/specks.hpp"
#include "unet/serve/encode_json.hpp"
#include "unet/serve/status.hpp"

namespace plume::serve {
namespace {

constexpr double most_simplified = 1000;     // pixels
constexpr double most_area = 1e9;            // pixels
constexpr int longest_png_edge = 1'000'000;  // libpng's limit

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string encode_npy(const Probabilities& probabilities) {
  const std::array<std::int64_t, 4> shape{probabilities.images, probabilities.height, probabilities.width,
                                          probabilities.classes};
  return text_of(data::encode_npy(shape, probabilities.values));
}

unet::ResultKind result_kind(const AnswerType& type) {
  if (type.name == "image/tiff") return unet::ResultKind::tif;
  if (type.name == "application/geo+json") return unet::ResultKind::geojson;
  return type.picture == Picture::mask ? unet::ResultKind::mask : unet::ResultKind::overlay;
}

std::string encode_image(const AnswerType& type, ImageBatch asked, Probabilities probabilities) {
  unet::Strip whole;
  data::Raster& image = whole.rows;
  image.height = asked.height;
  image.width = asked.width;
  image.bands = asked.bands;
  image.pixels = std::move(asked.pixels);
  image.valid = std::move(asked.valid);
  image.georeference = std::move(asked.georeference);
  if (type.picture == Picture::scene) std::fill(probabilities.values.begin(), probabilities.values.end(), 0.0F);
  whole.found = unet::decide(std::move(probabilities.values), image, probabilities.classes, type.threshold);
  std::string encoded;
  const unet::TakeStrip take = [&](const unet::Strip& strip) {
    encoded = text_of(unet::encode(result_kind(type), strip, {.tolerance = type.simplify}));
  };
  unet::SpeckFilter specks(type.least_area);
  specks.add(std::move(whole), take);
  specks.finish(take);
  return encoded;
}

void blank_fill(const ImageBatch& asked, Probabilities& probabilities) {
  const auto classes = static_cast<std::size_t>(probabilities.classes);
  for (std::size_t pixel = 0; pixel < asked.valid.size(); ++pixel) {
    if (asked.valid[pixel] == 0) std::fill_n(probabilities.values.data() + pixel * classes, classes, 0.0F);
  }
}

// The types on offer, that one first.
std::vector<std::string_view> offered(std::string_view first) {
  std::vector<std::string_view> types(answer_types.begin(), answer_types.end());
  std::stable_partition(types.begin(), types.end(), [&](std::string_view type) { return type == first; });
  return types;
}

// A parameter's number between 0 and `most`.
double number_of(const MediaType& type, std::string_view name, double most, double otherwise) {
  const std::string_view text = type.parameter(name);
  if (text.empty()) return otherwise;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= most) return number;
  throw request_error(Status::not_acceptable, "{}={} is not between 0 and {}", name, text, most);
}

Picture picture_of(const MediaType& type) {
  const std::string_view kind = type.parameter("kind");
  if (kind.empty() || kind == "mask") return Picture::mask;
  if (type.name == "image/png" && kind == "overlay") return Picture::overlay;
  if (type.name == "image/png" && kind == "scene") return Picture::scene;
  throw request_error(Status::not_acceptable, "kind={} is not made; image/png has mask, overlay and scene", kind);
}

}  // namespace

AnswerType choose_answer(std::string_view accept, std::string_view first, float threshold) {
  const auto type = choose_type(parse_accept(accept), offered(first));
  if (!type) {
    throw request_error(
        Status::not_acceptable,
        "'{}' is not made; application/json, application/x-npy, image/png, application/geo+json and image/tiff are",
        accept);
  }
  return {.name = type->name,
          .threshold = static_cast<float>(number_of(*type, "threshold", 1, threshold)),
          .picture = picture_of(*type),
          .simplify = number_of(*type, "simplify", most_simplified, 0),
          .least_area = static_cast<std::int64_t>(std::ceil(number_of(*type, "min-area", most_area, 0)))};
}

void require_holds(const AnswerType& type, const ImageBatch& asked) {
  if (type.name == "application/json" || type.name == "application/x-npy") return;
  if (asked.images != 1) {
    throw request_error(Status::not_acceptable, "{} is of one image, the request has {}", type.name, asked.images);
  }
  if (type.name == "image/png" && std::max(asked.height, asked.width) > longest_png_edge) {
    throw request_error(Status::not_acceptable, "a PNG has edges of {} pixels at most, the image is {}x{}",
                        longest_png_edge, asked.height, asked.width);
  }
}

Encoded encode_answer(const AnswerType& type, ImageBatch asked, Probabilities probabilities) {
  const auto& values = probabilities.values;
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    throw request_error(Status::unprocessable_content,
                        "the pixels are so large that the network's answer is not finite");
  }
  blank_fill(asked, probabilities);
  if (type.name == "application/json") return {type.name, encode_json(probabilities)};
  if (type.name == "application/x-npy") return {type.name, encode_npy(probabilities)};
  return {type.name, encode_image(type, std::move(asked), std::move(probabilities))};
}

}  // namespace plume::serve

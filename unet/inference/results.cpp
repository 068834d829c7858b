// Prediction to file formats.
#include "unet/inference/results.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>

#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "data/images/tiff.hpp"
#include "kernels/base/atomic_file.hpp"
#include "unet/inference/overlay.hpp"

namespace plume::unet {
namespace {

std::vector<std::byte> encode_polygons(const Prediction& prediction, const data::Raster& image,
                                       const ResultOptions& options) {
  std::vector<Polygon> polygons = trace_polygons(prediction);
  for (Polygon& polygon : polygons) simplify(polygon, options.tolerance);
  const std::string text =
      to_geojson(polygons, options.to_lon_lat ? options.to_lon_lat : to_lon_lat(image.georeference));
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

const char* ending_of(ResultKind kind) {
  switch (kind) {
    case ResultKind::mask: return "_mask.png";
    case ResultKind::overlay: return "_overlay.png";
    case ResultKind::npy: return "_probability.npy";
    case ResultKind::tif: return "_probability.tif";
    case ResultKind::geojson: return "_polygons.geojson";
  }
  throw std::logic_error("a kind of result without an ending");
}

std::vector<std::uint8_t> mask_of(const Prediction& prediction) {
  std::vector<std::uint8_t> mask = prediction.labels;
  if (prediction.classes == 1) {
    std::for_each(mask.begin(), mask.end(), [](std::uint8_t& value) { value = value != 0 ? 255 : 0; });
  }
  return mask;
}

std::vector<std::byte> encode(ResultKind kind, const Prediction& prediction, const data::Raster& image,
                              const ResultOptions& options) {
  const int height = prediction.height;
  const int width = prediction.width;
  const int classes = prediction.classes;
  switch (kind) {
    case ResultKind::mask: return data::encode_png({height, width, 1}, mask_of(prediction));
    case ResultKind::overlay:
      return data::encode_png({height, width, 3},
                              draw_overlay(image, prediction.labels, prediction.confidence, options.bands));
    case ResultKind::npy:
      return data::encode_npy(std::array<std::int64_t, 3>{height, width, classes}, prediction.probability);
    case ResultKind::tif:
      return data::encode_tiff({height, width, classes}, prediction.probability, image.georeference);
    case ResultKind::geojson: return encode_polygons(prediction, image, options);
  }
  throw std::logic_error("a kind of result without a form");
}

void write_result(const std::filesystem::path& path, ResultKind kind, const Prediction& prediction,
                  const data::Raster& image, const ResultOptions& options) {
  AtomicFile file(path);
  file.write(encode(kind, prediction, image, options));
  file.commit(Durable::no);
}

}  // namespace plume::unet

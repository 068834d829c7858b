// The forms in which a prediction is handed out, each a file's bytes, made while strips of the image come from above.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/images/byte_sink.hpp"
#include "data/images/raster.hpp"
#include "unet/inference/overlay.hpp"
#include "unet/inference/placed_polygon.hpp"
#include "unet/inference/prediction.hpp"
#include "unet/inference/strip.hpp"

namespace plume::unet {

enum class ResultKind {
  mask,     // PNG, grey: of one class 255 where there is smoke, else the class
  overlay,  // PNG for people (overlay.hpp)
  npy,      // f32 [height, width, classes]
  tif,      // the same as TIFF, georeferenced where the image is
  geojson,  // polygons around labels other than 0 (geojson.hpp)
  kml,      // the same (kml.hpp)
};

// As users write them.
inline const std::vector<std::pair<std::string, ResultKind>> result_names{
    {"mask", ResultKind::mask}, {"overlay", ResultKind::overlay}, {"npy", ResultKind::npy},
    {"tif", ResultKind::tif},   {"geojson", ResultKind::geojson}, {"kml", ResultKind::kml}};

// The image that results are of.
struct ResultImage {
  data::ImageShape shape;
  int classes = 1;
  data::Georeference georeference{};
  std::string name{};  // for errors
};

struct ResultOptions {
  std::span<const int> bands = {};   // which channel each band of the image is (overlay.hpp)
  std::optional<Stretch> stretch{};  // of an overlay; none: the first strip's, which should be the whole image
  double tolerance = 0;              // of polygons, in pixels (polygons.hpp)
  ToLonLat to_lon_lat = {};          // empty: what the image's GeoTIFF keys say
};

class ResultWriter {
 public:
  ResultWriter() = default;
  virtual ~ResultWriter() = default;
  ResultWriter(const ResultWriter&) = delete;
  ResultWriter& operator=(const ResultWriter&) = delete;

  // The next rows of the image.
  virtual void add(const Strip& strip) = 0;
  // After the last row.
  virtual void finish() = 0;
  // Whether strips need the image's pixels.
  [[nodiscard]] virtual bool draws_pixels() const { return false; }
};

// Behind the image's name, for a file: "_mask.png".
[[nodiscard]] const char* ending_of(ResultKind kind);

// Labels as grey values, which people can see.
[[nodiscard]] std::vector<std::uint8_t> mask_of(const Prediction& prediction);

// All of these throw environment_error where a result cannot be made, input_error for KML of an image without a place.

[[nodiscard]] std::unique_ptr<ResultWriter> make_writer(ResultKind kind, const ResultImage& image,
                                                        const ResultOptions& options, data::ByteSink sink);

// To a file, through AtomicFile, not durable. Its functions throw environment_error naming the path.
[[nodiscard]] std::unique_ptr<ResultWriter> make_file_writer(const std::filesystem::path& path, ResultKind kind,
                                                             const ResultImage& image, const ResultOptions& options);

// Of a whole image.
[[nodiscard]] std::vector<std::byte> encode(ResultKind kind, const Strip& whole, const ResultOptions& options = {});

}  // namespace plume::unet

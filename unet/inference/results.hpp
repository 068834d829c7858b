// The forms in which a prediction is handed out, each a file's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/images/raster.hpp"
#include "unet/inference/geojson.hpp"
#include "unet/inference/prediction.hpp"

namespace plume::unet {

enum class ResultKind {
  mask,     // PNG, grey: of one class 255 where there is smoke, else the class
  overlay,  // PNG for people (overlay.hpp)
  npy,      // f32 [height, width, classes]
  tif,      // the same as TIFF, georeferenced where the image is
  geojson,  // polygons around labels other than 0 (geojson.hpp)
};

// As users write them.
inline const std::vector<std::pair<std::string, ResultKind>> result_names{{"mask", ResultKind::mask},
                                                                          {"overlay", ResultKind::overlay},
                                                                          {"npy", ResultKind::npy},
                                                                          {"tif", ResultKind::tif},
                                                                          {"geojson", ResultKind::geojson}};

struct ResultOptions {
  std::span<const int> bands = {};  // which channel each band of the image is (overlay.hpp)
  double tolerance = 0;             // of polygons, in pixels (polygons.hpp)
  ToLonLat to_lon_lat = {};         // empty: what the image's GeoTIFF keys say
};

// Behind the image's name, for a file: "_mask.png".
[[nodiscard]] const char* ending_of(ResultKind kind);

// Labels as grey values, which people can see.
[[nodiscard]] std::vector<std::uint8_t> mask_of(const Prediction& prediction);

// Throws environment_error where it cannot be made.
[[nodiscard]] std::vector<std::byte> encode(ResultKind kind, const Prediction& prediction, const data::Raster& image,
                                            const ResultOptions& options = {});

// The same to a file, through AtomicFile, not durable. Throws environment_error naming the path.
void write_result(const std::filesystem::path& path, ResultKind kind, const Prediction& prediction,
                  const data::Raster& image, const ResultOptions& options = {});

}  // namespace plume::unet

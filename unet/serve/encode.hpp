// From probabilities to the bytes of an answer, by the type that the client likes best.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "unet/serve/image_batch.hpp"
#include "unet/serve/media_type.hpp"
#include "unet/serve/probabilities.hpp"

namespace plume::serve {

// What image/png shows: the mask (0 and 255, or the class), the image with smoke painted over it (unet/inference/overlay.hpp), or
// the same without the smoke.
enum class Picture { mask, overlay, scene };

// What a client asked for. Parameters of its Accept:
//   threshold  between 0 and 1: smoke is where the probability is above (image/png, application/geo+json)
//   kind       of image/png: "mask" (the default), "overlay" or "scene"
//   simplify   of application/geo+json: pixels by which outlines may be off (unet/inference/polygons.hpp)
//   min-area   of both: pixels of the smallest region that is smoke (unet/inference/specks.hpp)
struct AnswerType {
  std::string name;
  float threshold = 0.5F;
  Picture picture = Picture::mask;
  double simplify = 0;
  std::int64_t least_area = 0;
};

// What is offered, the preferred first: JSON, .npy [N, H, W, classes] of f4, PNG, GeoJSON, and TIFF of f32 with the
// georeference of the image that was sent. The last three are of one image.
inline constexpr std::array<std::string_view, 5> answer_types{"application/json", "application/x-npy", "image/png",
                                                              "application/geo+json", "image/tiff"};

// What an Accept header asks for. first: what is preferred where the client does not care.
// Throws RequestError: bad_request for no list of types, not_acceptable where none is offered, or for a parameter's value that
// means nothing.
[[nodiscard]] AnswerType choose_answer(std::string_view accept, std::string_view first, float threshold);

// Throws RequestError (not_acceptable) for several images and a type that is of one, or one that is too long for a PNG.
void require_holds(const AnswerType& type, const ImageBatch& asked);

struct Encoded {
  std::string content_type;
  std::string body;
};

// asked: the images, of which the overlay is made; where they have fill there is no smoke. As many as the type holds.
// Throws RequestError (unprocessable_content) where a probability is not finite, as huge pixels may make it.
[[nodiscard]] Encoded encode_answer(const AnswerType& type, ImageBatch asked, Probabilities probabilities);

}  // namespace plume::serve

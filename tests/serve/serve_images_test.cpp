// Images as files in requests and answers: PNG, TIFF and GeoJSON, and images that are bombs or damaged.
#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>

#include "data/images/npy.hpp"
#include "data/images/png.hpp"
#include "data/images/tiff.hpp"
#include "serve_program.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/predict.hpp"
#include "unet/inference/results.hpp"

namespace plume::tests {
namespace {

class ServeImages : public ServeProgram {};

// The one image of a request, as the library sees it.
data::Raster raster_of(const std::vector<float>& pixels, int rows, int columns) {
  data::Raster image;
  image.height = rows;
  image.width = columns;
  image.bands = 3;
  image.pixels = pixels;
  return image;
}

// A threshold by which there is smoke and none.
float median_of(std::vector<float> probability) {
  const auto middle = probability.begin() + std::ssize(probability) / 2;
  std::nth_element(probability.begin(), middle, probability.end());
  return *middle;
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_F(ServeImages, PngInIsTheMaskOrAPictureOut) {
  std::vector<std::uint8_t> colors;
  std::vector<float> pixels;
  for (const float value : drawn_pixels(values)) {
    colors.push_back(static_cast<std::uint8_t>(value));
    pixels.push_back(static_cast<float>(colors.back()));
  }
  const std::string body = text_of(data::encode_png({height, width, 3}, colors));
  const data::Raster image = raster_of(pixels, height, width);
  const auto probability = predicted(*network_, pixels, 1, height, width);
  const float threshold = median_of(probability);
  for (const auto& [kind, result] :
       {std::pair{"mask", unet::ResultKind::mask}, {"overlay", unet::ResultKind::overlay}}) {
    const auto answer = post(
        fmt::format("Content-Type: image/png\r\nAccept: image/png; kind={}; threshold={}\r\n", kind, threshold), body);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(answer->header("content-type"), "image/png");
    EXPECT_EQ(answer->body, text_of(unet::encode(result, {image, unet::decide(probability, image, 1, threshold)})));
  }
  const auto answer = post("Content-Type: image/png\r\n", body);
  ASSERT_TRUE(answer);
  EXPECT_EQ(predictions_of(*answer), probability);
}

TEST_F(ServeImages, TiffInIsATiffOfTheSamePlaceOut) {
  const auto pixels = drawn_pixels(values);
  data::Georeference place;
  place.transform = {-120, 0.1, 0, 40, 0, -0.1};
  const std::string body = text_of(data::encode_tiff({height, width, 3}, pixels, place));
  const auto answer = post("Content-Type: image/tiff\r\nAccept: image/tiff\r\n", body);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  const auto raster = data::decode_tiff(std::as_bytes(std::span(answer->body)), "answer");
  EXPECT_EQ(raster.pixels, predicted(*network_, pixels, 1, height, width));
  EXPECT_EQ(raster.georeference.transform, place.transform);
}

TEST_F(ServeImages, SmokeAsPolygons) {
  const auto pixels = drawn_pixels(values);
  const data::Raster image = raster_of(pixels, height, width);
  const auto probability = predicted(*network_, pixels, 1, height, width);
  const float threshold = median_of(probability);
  const auto expected = unet::encode(unet::ResultKind::geojson, {image, unet::decide(probability, image, 1, threshold)},
                                     {.tolerance = 1});
  const auto answer = post(raw_headers(1, height, width) +
                               fmt::format("Accept: application/geo+json; threshold={}; simplify=1\r\n", threshold),
                           raw_body(pixels));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(answer->header("content-type"), "application/geo+json");
  EXPECT_EQ(answer->body, text_of(expected));
  EXPECT_FALSE(nlohmann::json::parse(answer->body).at("features").empty());
}

// As the library does with the same settings.
TEST_F(ServeImages, ServersOptionsSayHowAnImageIsPredicted) {
  const std::string model = (*folder_ / "model.safetensors").string();
  const auto pixels = drawn_pixels(std::size_t{64} * 80 * 3);
  const unet::Network folded = unet::fold_norms(*network_);
  unet::Predictor predictor(folded, 1);
  const auto plain = predictor.probabilities(pixels.data(), 1, 64, 80);
  predictor.average_over(unet::TestTime::flips);
  predictor.set_tiles({.edge = 32, .blend = unet::Blend::smooth, .overlap = 0.25});
  const auto expected = predictor.probabilities(pixels.data(), 1, 64, 80);
  const RunningServer server({model, "--tta", "flips", "--tile", "32", "--blend", "smooth", "--overlap", "0.25"});
  const auto answer = ask(server.port(), "POST", "/invocations",
                          raw_headers(1, 64, 80) + "Accept: application/x-npy\r\n", raw_body(pixels));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->status, 200) << answer->body;
  const auto found = data::decode_npy(std::as_bytes(std::span(answer->body)), "answer").values;
  EXPECT_EQ(found, expected);
  EXPECT_NE(found, plain);
}

TEST_F(ServeImages, WhereAnImageHasFillThereIsNoSmoke) {
  std::vector<std::uint8_t> colors(4 * 4 * 4, 200);
  colors[3] = 0;  // alpha of the first pixel
  for (const char* accept : {"application/json", "application/x-npy", "image/tiff"}) {
    const auto answer = post(fmt::format("Content-Type: image/png\r\nAccept: {}\r\n", accept),
                             text_of(data::encode_png({4, 4, 4}, colors)));
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    const auto bytes = std::as_bytes(std::span(answer->body));
    const auto probability = answer->body.starts_with("{")      ? predictions_of(*answer)
                             : answer->body.starts_with("\x93") ? data::decode_npy(bytes, "answer").values
                                                                : data::decode_tiff(bytes, "answer").pixels;
    ASSERT_EQ(probability.size(), 16);
    EXPECT_EQ(probability[0], 0);
    EXPECT_GT(probability[1], 0);
  }
}

TEST_F(ServeImages, BandsOfAnImageMayBeChosen) {
  std::vector<float> wide;
  std::vector<float> pixels;
  for (int i = 0; i < 16; ++i) {
    for (int band = 0; band < 5; ++band) wide.push_back(static_cast<float>(10 * i + band));
    for (const int band : {4, 1, 2}) pixels.push_back(static_cast<float>(10 * i + band));
  }
  const std::string body = text_of(data::encode_tiff({4, 4, 5}, wide));
  EXPECT_EQ(predictions_of(*post("Content-Type: image/tiff; bands=\"5,2-3\"\r\n", body)),
            predicted(*network_, pixels, 1, 4, 4));
  expect_refused(422, "5 bands, the model takes 3", "Content-Type: image/tiff\r\n", body);
  expect_refused(400, "no band 6", "Content-Type: image/tiff; bands=4-6\r\n", body);
  expect_refused(400, "", "Content-Type: image/tiff; bands=x\r\n", body);
}

TEST_F(ServeImages, APictureHoldsOneImage) {
  const auto pixels = drawn_pixels(2 * values);
  for (const char* accept : {"image/png", "image/tiff", "application/geo+json"}) {
    expect_refused(406, "one image", raw_headers(2, height, width) + "Accept: " + accept + "\r\n", raw_body(pixels));
  }
}

TEST_F(ServeImages, ImagesThatUnpackToTooMuchAreRefused) {
  // Black, so they are small: 30000 x 30000 pixels of three bands.
  constexpr int side = 30'000;
  std::string png("\x89PNG\r\n\x1a\n");
  const auto big_endian = [](std::uint32_t value) {
    return std::string{static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
                       static_cast<char>(value)};
  };
  const auto chunk = [&](std::string_view name, const std::string& data) {
    const std::string named = std::string(name) + data;
    const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(named.data()), static_cast<uInt>(named.size()));
    png += big_endian(static_cast<std::uint32_t>(data.size())) + named + big_endian(static_cast<std::uint32_t>(sum));
  };
  chunk("IHDR", big_endian(side) + big_endian(side) + std::string("\x08\x02\x00\x00\x00", 5));
  std::vector<Bytef> packed(::compressBound(side * 3 + 1));
  const std::vector<Bytef> row(side * 3 + 1);
  uLongf length = packed.size();
  ::compress(packed.data(), &length, row.data(), row.size());
  chunk("IDAT", {reinterpret_cast<const char*>(packed.data()), length});
  chunk("IEND", "");
  const double before = server_->metric("process_resident_memory_bytes");
  expect_refused(400, "more than the", "Content-Type: image/png\r\n", png);

  std::string tiff = text_of(data::encode_tiff({64, 64, 3}, std::vector<std::uint8_t>(64 * 64 * 3)));
  const auto claim = [&](std::uint16_t tag) {  // a field of the directory: tag, type, count, value
    const std::string field{static_cast<char>(tag), static_cast<char>(tag >> 8)};
    for (std::size_t at = tiff.find(field); at != std::string::npos; at = tiff.find(field, at + 1)) {
      if ((tiff[at + 2] == 3 || tiff[at + 2] == 4) && tiff[at + 4] == 1 && tiff[at + 8] == 64) {
        tiff[at + 8] = static_cast<char>(side & 0xFF);
        tiff[at + 9] = static_cast<char>(side >> 8);
        return true;
      }
    }
    return false;
  };
  ASSERT_TRUE(claim(256));  // ImageWidth
  ASSERT_TRUE(claim(257));  // ImageLength
  expect_refused(400, "more than the", "Content-Type: image/tiff\r\n", tiff);
  EXPECT_LT(server_->metric("process_resident_memory_bytes") - before, 50e6);
}

TEST_F(ServeImages, DamagedImagesAreRefused) {
  const std::vector<std::uint8_t> colors(height * width * 3, 100);
  const std::string png = text_of(data::encode_png({height, width, 3}, colors));
  const std::string tiff = text_of(data::encode_tiff({height, width, 3}, colors));
  for (const auto& [type, whole] : {std::pair{"image/png", png}, {"image/tiff", tiff}}) {
    const std::string headers = fmt::format("Content-Type: {}\r\n", type);
    for (const std::size_t share : {0, 1, 3, 6, 8}) {
      expect_refused(400, "the body", headers, whole.substr(0, whole.size() * share / 10));
    }
    expect_refused(400, "the body", headers, type == std::string("image/png") ? tiff : png);
  }
}

}  // namespace
}  // namespace plume::tests

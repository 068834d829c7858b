// NASA's models over HTTP, in the tutorial's JSON, give what Keras gave.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../real_data.hpp"
#include "data/formats/raster_read.hpp"
#include "running_server.hpp"
#include "unet/checkpoint.hpp"
#include "unet/import_keras.hpp"

namespace plume::tests {
namespace {

constexpr double tolerance = 1e-4;
const std::vector<int> first_six_bands{0, 1, 2, 3, 4, 5};  // the seventh is an unused alpha

class ServeNasa : public testing::TestWithParam<const char*> {};

TEST_P(ServeNasa, AnswersAreKerass) {
  const std::filesystem::path models = real_data() / "pixel_detector";
  if (!std::filesystem::exists(models)) GTEST_SKIP() << "no NASA models at " << models;
  const std::string name = GetParam();
  const unet::KerasModel keras = unet::read_keras_h5(models / (name + ".h5"));
  unet::Network network(keras.graph);
  load_parameters(network, keras.parameters);
  const ScratchFolder folder;
  unet::save_model(folder / "model.safetensors", network, {}, "");
  const RunningServer server({"--model", (folder / "model.safetensors").string()});

  for (const char* tile : {"48_19", "48_20", "49_20", "49_21", "50_21"}) {
    const data::Raster image = data::read_raster(real_data() / "goes16_tiles" / "original_float32" /
                                                     fmt::format("OR_ABI-L1b-RadF-M6_G16_s20212642250204_{}.tif", tile),
                                                 first_six_bands);
    const data::Raster expected = data::read_raster(models / "expected" / fmt::format("{}__{}.npy", name, tile));
    auto tensor = nlohmann::json::array();
    const float* next = image.pixels.data();
    for (int y = 0; y < image.height; ++y) {
      auto& row = tensor.emplace_back(nlohmann::json::array());
      for (int x = 0; x < image.width; ++x, next += image.bands)
        row.push_back(std::vector<float>(next, next + image.bands));
    }
    const auto answer = ask(server.port(), "POST", "/invocations", "Content-Type: application/json\r\n",
                            nlohmann::json::array({tensor}).dump());
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << answer->body;
    const auto predictions = nlohmann::json::parse(answer->body).at("predictions");
    ASSERT_EQ(predictions.size(), 1);
    ASSERT_EQ(predictions[0].size(), static_cast<std::size_t>(expected.height));
    double largest = 0;
    for (int y = 0; y < expected.height; ++y) {
      const auto& row = predictions[0][static_cast<std::size_t>(y)];
      ASSERT_EQ(row.size(), static_cast<std::size_t>(expected.width));
      for (int x = 0; x < expected.width; ++x) {
        const double ours = row[static_cast<std::size_t>(x)].at(0).get<double>();
        largest = std::max(
            largest,
            std::abs(ours - static_cast<double>(expected.pixels[static_cast<std::size_t>(y * expected.width + x)])));
      }
    }
    EXPECT_LE(largest, tolerance) << tile;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ServeNasa, testing::Values("smoke_wmts_ref", "smoke_wmts_ref_3layer"),
                         [](const auto& name) { return std::string(name.param); });

}  // namespace
}  // namespace plume::tests

// NASA's two smoke models, trained in Keras, give in our engine the outputs that they gave there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <tuple>

#include "../real_data.hpp"
#include "data/formats/raster_read.hpp"
#include "unet/import_keras.hpp"
#include "unet/inference/network.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {
namespace {

constexpr float tolerance = 1e-4F;
const std::vector<int> first_six_bands{0, 1, 2, 3, 4, 5};  // the seventh is an unused alpha

struct ModelFile {
  const char* name;
  std::size_t parameters;  // as Keras counts them, running statistics included
  int multiple;
};

std::ostream& operator<<(std::ostream& stream, const ModelFile& file) {
  return stream << file.name;
}

constexpr ModelFile two_poolings{"smoke_wmts_ref", 91'305, 4};
constexpr ModelFile four_poolings{"smoke_wmts_ref_3layer", 175'961, 16};

class NasaModelsTest : public testing::TestWithParam<std::tuple<ModelFile, const char*>> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(models_)) GTEST_SKIP() << "no NASA models at " << models_;
  }
  std::filesystem::path models_ = tests::real_data() / "pixel_detector";
  std::filesystem::path tiles_ = tests::real_data() / "goes16_tiles" / "original_float32";
};

TEST_P(NasaModelsTest, OutputsAreKerass) {
  const auto& [file, tile] = GetParam();
  const KerasModel model = read_keras_h5(models_ / (std::string(file.name) + ".h5"));
  std::size_t parameters = 0;
  for (const nn::NamedTensor& tensor : model.parameters) parameters += tensor.values.size();
  EXPECT_EQ(parameters, file.parameters);
  EXPECT_EQ(size_multiple(model.graph), file.multiple);

  const data::Raster input = data::read_raster(
      tiles_ / (std::string("OR_ABI-L1b-RadF-M6_G16_s20212642250204_") + tile + ".tif"), first_six_bands);
  const data::Raster expected =
      data::read_raster(models_ / "expected" / (std::string(file.name) + "__" + tile + ".npy"));
  ASSERT_EQ(expected.height, input.height);
  ASSERT_EQ(expected.width, input.width);
  ASSERT_EQ(expected.bands, 1);

  Network network(model.graph);
  load_parameters(network, model.parameters);
  Predictor predictor(network);
  const std::vector<float> ours = predictor.probabilities(input.pixels.data(), 1, input.height, input.width);
  ASSERT_EQ(ours.size(), expected.pixels.size());
  float largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) largest = std::max(largest, std::abs(ours[i] - expected.pixels[i]));
  EXPECT_LE(largest, tolerance);
  RecordProperty("largest_difference", std::to_string(largest));
}

INSTANTIATE_TEST_SUITE_P(AllTiles, NasaModelsTest,
                         testing::Combine(testing::Values(two_poolings, four_poolings),
                                          testing::Values("48_19", "48_20", "49_20", "49_21", "50_21")),
                         [](const auto& parameters) {
                           return std::string(std::get<0>(parameters.param).name) + "_" + std::get<1>(parameters.param);
                         });

}  // namespace
}  // namespace plume::unet

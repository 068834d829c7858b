// Models as ONNX: ONNX's own checker and shape inference take them, and ONNX Runtime computes what plume does.
#include "unet/export_onnx.hpp"

#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include "../python.hpp"
#include "../random_values.hpp"
#include "../real_data.hpp"
#include "../scratch_folder.hpp"
#include "data/formats/raster_read.hpp"
#include "data/images/npy.hpp"
#include "program.hpp"
#include "small_networks.hpp"
#include "trained_network.hpp"
#include "unet/checkpoint.hpp"
#include "unet/inference/predict.hpp"

namespace plume::tests {
namespace {

// On a copy of the pixels as [images, bands, height, width].
constexpr const char* run_onnx = R"(
import numpy, onnxruntime, sys
model, pixels, answer = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
images = numpy.ascontiguousarray(numpy.load(pixels).transpose(0, 3, 1, 2))
probability, = session.run(None, {"image": images})
numpy.save(answer, numpy.ascontiguousarray(probability.transpose(0, 2, 3, 1)))
)";

class ExportOnnx : public testing::TestWithParam<SmallNetwork> {
 protected:
  // Normalising, too.
  static unet::Network network() {
    unet::Graph graph = unet::build_graph(GetParam().settings);
    graph.input.mean = {10, 20, 30};
    graph.input.std = {2, 3, 4};
    return trained_network(graph);
  }

  // What ONNX Runtime makes of pixels [images, height, width, bands].
  std::vector<float> by_onnx_runtime(const std::vector<float>& pixels, const std::array<std::int64_t, 4>& shape) const {
    write_file(folder_ / "model.onnx", unet::export_onnx(model_));
    data::write_npy(folder_ / "pixels.npy", shape, pixels);
    const Outcome outcome = run_command(
        {peers_python, "-c", run_onnx, folder_ / "model.onnx", folder_ / "pixels.npy", folder_ / "answer.npy"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
    return data::read_npy(folder_ / "answer.npy").values;
  }

  static void expect_close(const std::vector<float>& theirs, const std::vector<float>& ours, float tolerance) {
    ASSERT_EQ(theirs.size(), ours.size());
    float largest = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) largest = std::max(largest, std::abs(ours[i] - theirs[i]));
    EXPECT_LE(largest, tolerance);
  }

  ScratchFolder folder_;
  std::filesystem::path model_ = folder_ / "model.safetensors";
};

TEST_P(ExportOnnx, IsWhatOnnxSpecifies) {
  const unet::Network network = ExportOnnx::network();
  unet::save_model(model_, network, {}, "");
  const std::string bytes = unet::export_onnx(model_);
  EXPECT_EQ(bytes, unet::export_onnx(model_)) << "not the same every time";
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(bytes));
  EXPECT_NO_THROW(onnx::checker::check_model(model));

  auto* image = model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  image->mutable_dim(0)->set_dim_value(2);
  image->mutable_dim(2)->set_dim_value(64);
  image->mutable_dim(3)->set_dim_value(96);
  model.mutable_graph()->mutable_output(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  const onnx::ShapeInferenceOptions strict(true, 1);
  ASSERT_NO_THROW(onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), strict));
  const auto& probability = model.graph().output(0).type().tensor_type().shape();
  ASSERT_EQ(probability.dim_size(), 4);
  const std::array<std::int64_t, 4> expected{2, network.graph().classes, 64, 96};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(probability.dim(i).dim_value(), expected[static_cast<std::size_t>(i)]) << i;
}

TEST_P(ExportOnnx, OnnxRuntimeComputesTheSame) {
  if (!python_has("numpy, onnxruntime", peers_python)) GTEST_SKIP() << "no onnxruntime in " << peers_python;
  unet::Network network = ExportOnnx::network();
  unet::save_model(model_, network, {}, "");
  const auto values = random_values(std::size_t{2} * 64 * 96 * 3, 5, 0, 40);
  const std::vector<float> pixels(values.begin(), values.end());
  unet::Predictor predictor(network);
  expect_close(by_onnx_runtime(pixels, {2, 64, 96, 3}), predictor.probabilities(pixels.data(), 2, 64, 96), 1e-5F);
}

INSTANTIATE_TEST_SUITE_P(
    Families, ExportOnnx,
    testing::Values(SmallNetwork{"classic", {.bands = 3, .base = 4, .depth = 3}},
                    SmallNetwork{"bilinear", {.bands = 3, .base = 4, .depth = 3, .up = unet::Up::bilinear}},
                    SmallNetwork{"aligned", {.bands = 3, .base = 4, .depth = 3, .up = unet::Up::aligned}},
                    SmallNetwork{"classes", {.bands = 3, .classes = 4, .base = 4, .depth = 2}},
                    SmallNetwork{"pixel_detector",
                                 {.family = unet::Family::pixel_detector, .bands = 3, .base = 8, .depth = 3}}),
    testing::PrintToStringParamName());

class ExportOnnxOfNasa : public ExportOnnx {};

TEST_P(ExportOnnxOfNasa, OnnxRuntimeGivesNasasAnswers) {
  if (!std::filesystem::exists(real_data() / "pixel_detector")) GTEST_SKIP() << "no NASA models at " << real_data();
  if (!python_has("numpy, onnxruntime", peers_python)) GTEST_SKIP() << "no onnxruntime in " << peers_python;
  const auto models = real_data() / "pixel_detector";
  const std::string name = GetParam().name;
  ASSERT_EQ(run_plume({"import", "keras", models / (name + ".h5"), "-o", model_}).exit_code, 0);
  const auto tiles = real_data() / "goes16_tiles" / "original_float32";
  const std::vector<int> six_bands{0, 1, 2, 3, 4, 5};
  for (const char* tile : {"48_19", "49_21", "50_21"}) {
    const auto image =
        data::read_raster(tiles / (std::string("OR_ABI-L1b-RadF-M6_G16_s20212642250204_") + tile + ".tif"), six_bands);
    const auto expected = data::read_raster(models / "expected" / (name + "__" + tile + ".npy"));
    expect_close(by_onnx_runtime(image.pixels, {1, image.height, image.width, image.bands}), expected.pixels, 1e-4F);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ExportOnnxOfNasa,
                         testing::Values(SmallNetwork{"smoke_wmts_ref", {}}, SmallNetwork{"smoke_wmts_ref_3layer", {}}),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace plume::tests

// Networks: families, fusion that changes nothing, sizes, checkpoints that come back bit by bit.
#include "unet/inference/network.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../expect_error.hpp"
#include "../random_values.hpp"
#include "../scratch_folder.hpp"
#include "nn/initialize.hpp"
#include "nn/loss.hpp"
#include "nn/safetensors.hpp"
#include "nn/tape.hpp"
#include "unet/checkpoint.hpp"
#include "unet/families.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {
namespace {

std::vector<float> image_of(std::size_t count) {
  std::vector<float> values;
  for (const double value : tests::random_values(count, 5)) values.push_back(static_cast<float>(value));
  return values;
}

Network small_network(const ModelSettings& settings, Fusion fusion = Fusion::on) {
  Network network(build_graph(settings), DType::f32, fusion);
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  return network;
}

struct FamilyCase {
  const char* name;
  ModelSettings settings;
  std::size_t parameters;  // as counted by hand or by others
};

// Trainable parameters: the classic one of base 64 with 3 bands is the well-known 31,037,633 of PyTorch's U-Nets with
// batch normalisation; 174,505 is the tutorial's 175,961 without its 1,456 running statistics.
const FamilyCase families[] = {
    {"classic64", {Family::classic, 3, 1, 64, 4, Up::transposed, 32}, 31037633 - 6},
    {"tutorial", {Family::pixel_detector, 6, 1, 24, 4, Up::transposed, 32}, 174505},
};

TEST(NetworkTest, FamiliesHaveTheKnownNumberOfParameters) {
  for (const FamilyCase& family : families) {
    const Network network(build_graph(family.settings));
    if (std::string_view(family.name) == "tutorial") {
      EXPECT_EQ(network.parameters().trainable_count(), family.parameters) << family.name;
    } else {
      // 31.04 M, whichever of the common variants of head and norm one counts.
      EXPECT_NEAR(static_cast<double>(network.parameters().trainable_count()), 31.04e6, 0.01e6) << family.name;
    }
  }
}

TEST(NetworkTest, FusionChangesNothing) {
  for (const Family family : {Family::classic, Family::pixel_detector}) {
    for (const Up up : {Up::transposed, Up::bilinear}) {
      const ModelSettings settings{family, 3, 1, 4, 2, up, 6};
      std::vector<float> gradients[2];
      std::vector<float> logits[2];
      const auto pixels = image_of(std::size_t{2} * 16 * 24 * 3);
      const std::vector<std::uint8_t> labels = tests::random_labels(2 * 16 * 24, 3, 2);
      for (const Fusion fusion : {Fusion::on, Fusion::off}) {
        Network network = small_network(settings, fusion);
        kernels::Stream stream{kernels::CpuStream(2)};
        nn::Arena arena;
        nn::Tape tape;
        const nn::Context context{stream, arena, &tape, true};
        nn::Tensor x = context.allocate({2, 16, 24, 3}, DType::f32, "x");
        std::copy(pixels.begin(), pixels.end(), x.data<float>());
        const nn::Tensor y = network(context, x);
        const auto which = static_cast<std::size_t>(fusion);
        logits[which].assign(y.data<float>(), y.data<float>() + y.shape().count());
        static_cast<void>(nn::loss(context, y, {labels.data(), nullptr}, {}));
        nn::backward(context, tape);
        const float* gradient = network.parameters().gradients<float>();
        gradients[which].assign(gradient, gradient + network.parameters().flat_size());
      }
      EXPECT_EQ(logits[0], logits[1]);
      EXPECT_EQ(gradients[0], gradients[1]);
    }
  }
}

TEST(NetworkTest, AnySizeIsPaddedAndCroppedAgain) {
  const Network network = small_network({Family::classic, 2, 1, 4, 3, Up::transposed, 32});
  Predictor predictor(network, 1);
  const auto pixels = image_of(std::size_t{1} * 13 * 21 * 2);
  const auto probability = predictor.probabilities(pixels.data(), 1, 13, 21);
  ASSERT_EQ(probability.size(), std::size_t{13} * 21);
  for (const float p : probability) EXPECT_TRUE(p > 0 && p < 1) << p;
}

TEST(NetworkTest, NormalizedImagesOfAnySizeArePaddedAlike) {
  const Network network = small_network({Family::classic, 2, 1, 4, 3, Up::transposed, 32});
  Predictor predictor(network, 1);
  const auto pixels = image_of(std::size_t{2} * 13 * 21 * 2);
  EXPECT_EQ(predictor.probabilities_of_normalized(pixels.data(), 2, 13, 21),
            predictor.probabilities(pixels.data(), 2, 13, 21));
}

TEST(NetworkTest, EmptyImagesAreRefused) {
  const Network network = small_network({Family::classic, 2, 1, 4, 3, Up::transposed, 32});
  Predictor predictor(network, 1);
  const auto pixels = image_of(1000);
  tests::expect_input_error([&] { static_cast<void>(predictor.probabilities(pixels.data(), 1, 0, 16)); }, "0x16");
}

TEST(NetworkTest, SoftmaxProbabilitiesSumToOne) {
  const Network network = small_network({Family::classic, 2, 4, 4, 2, Up::bilinear, 32});
  Predictor predictor(network, 1);
  const auto pixels = image_of(std::size_t{1} * 8 * 8 * 2);
  const auto probability = predictor.probabilities(pixels.data(), 1, 8, 8);
  ASSERT_EQ(probability.size(), std::size_t{8} * 8 * 4);
  for (std::size_t p = 0; p < probability.size(); p += 4) {
    EXPECT_NEAR(probability[p] + probability[p + 1] + probability[p + 2] + probability[p + 3], 1, 1e-6);
  }
}

TEST(CheckpointTest, ModelsComeBackBitByBit) {
  const tests::ScratchFolder folder;
  ModelSettings settings{Family::pixel_detector, 6, 1, 5, 2, Up::transposed, 7};
  Network network = small_network(settings);
  save_model(folder / "model.safetensors", network, {}, "");
  const Network loaded = load_model(folder / "model.safetensors");
  EXPECT_EQ(loaded.graph(), network.graph());
  for (const auto& info : network.parameters().all()) {
    EXPECT_EQ(loaded.parameters().to_named(info).values, network.parameters().to_named(info).values) << info.name;
  }
}

TEST(CheckpointTest, DamageIsNamed) {
  const tests::ScratchFolder folder;
  Network network = small_network({Family::classic, 2, 1, 4, 1, Up::transposed, 32});
  const auto path = folder / "model.safetensors";
  save_model(path, network, {}, "");
  const std::string bytes = tests::read_file(path);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{4}, std::size_t{8}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    tests::write_file(path, std::string_view(bytes).substr(0, size));
    tests::expect_input_error([&] { static_cast<void>(load_model(path)); }, "model.safetensors");
  }
  // Well-formed, but nobody's model.
  const std::vector<float> values{1, 2};
  const nn::TensorSource source{"a", DType::f32, {2}, std::as_bytes(std::span(values))};
  nn::save_safetensors(path, {}, std::span(&source, 1));
  tests::expect_input_error([&] { static_cast<void>(load_model(path)); }, "model.safetensors", "plume.graph");
  nn::save_safetensors(path, {{"plume.graph", to_json(network.graph())}}, std::span(&source, 1));
  tests::expect_input_error([&] { static_cast<void>(load_model(path)); }, "model.safetensors", "missing");
}

}  // namespace
}  // namespace plume::unet

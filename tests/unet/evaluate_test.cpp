// An evaluation is the same in any batches and over any number of ranks, and says what its images hold.
#include "unet/evaluate.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "nn/initialize.hpp"
#include "small_training.hpp"
#include "unet/evaluation_report.hpp"
#include "unet/families.hpp"

namespace plume::unet {
namespace {

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() : network_(graph()) { nn::initialize(network_.parameters(), nn::Initializer::he, 1); }

  static Graph graph() {
    ModelSettings settings;
    settings.base = 4;
    settings.depth = 2;
    return build_graph(settings);
  }

  [[nodiscard]] Evaluation run(std::span<const int> tiles, int batch) {
    return evaluate(predictor_, network_.graph(), shard_, tiles, {.threshold = 0.6F, .batch = batch});
  }

  tests::ScratchFolder folder_;
  data::Shard shard_{tests::small_shard(folder_)};
  Network network_;
  Predictor predictor_{network_};
};

TEST_F(EvaluateTest, IsTheSameInAnyBatches) {
  const auto tiles = shard_.tiles(data::Split::train);
  const auto one = to_json(run(tiles, 1));
  EXPECT_EQ(one, to_json(run(tiles, 4)));
  EXPECT_EQ(one, to_json(run(tiles, 5)));
}

TEST_F(EvaluateTest, ItsTotalIsThatOfItsImages) {
  const auto tiles = shard_.tiles(data::Split::train);
  const Evaluation whole = run(tiles, 4);
  double sum = 0;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const int tile[] = {tiles[i]};
    const Evaluation alone = run(tile, 1);
    EXPECT_EQ(alone.counts()[0].true_positive, whole.images[i][0].true_positive);
    sum += alone.counts()[0].iou();
  }
  EXPECT_NEAR(mean_over_images(whole, 0, &Confusion::iou, false), sum / static_cast<double>(tiles.size()), 1e-15);
  // The curves' positives at a threshold are the counts'.
  EXPECT_EQ(whole.foreground.positives(), whole.counts()[0].positives());
  EXPECT_EQ(whole.details->matrix.at(1, 1), whole.counts()[0].true_positive);
  EXPECT_EQ(whole.details->matrix.at(0, 1), whole.counts()[0].false_positive);
}

TEST(Evaluation, MeansOverImagesTellEmptyOnesApart) {
  Evaluation evaluation(3, 1);
  const std::vector<float> probability{0.9F, 0.1F};
  add_image(evaluation, 0, probability.data(), {1, 1}, 1, 2, {});    // one of two
  add_image(evaluation, 1, probability.data(), {0, 255}, 1, 2, {});  // one that is not there
  add_image(evaluation, 2, probability.data() + 1, {0}, 1, 1, {});   // none to find, none found
  EXPECT_EQ(images_with_class(evaluation, 0), 1);
  EXPECT_DOUBLE_EQ(mean_over_images(evaluation, 0, &Confusion::iou, true), 0.5);
  EXPECT_DOUBLE_EQ(mean_over_images(evaluation, 0, &Confusion::iou, false), (0.5 + 0 + 1) / 3);
  EXPECT_DOUBLE_EQ(evaluation.counts()[0].iou(), 1.0 / 3);
}

// What is ignored is of no class in both, so the border beside it is found whatever was found there.
TEST(Evaluation, WhatIsIgnoredCostsNoBorder) {
  Evaluation evaluation(1, 1);
  evaluation.details.emplace(1);
  const std::vector<float> probability{0.9F, 0.9F, 0.9F, 0.1F};
  add_image(evaluation, 0, probability.data(), {1, 1, 255, 0}, 1, 4, {.boundary_tolerance = 0});
  EXPECT_EQ(evaluation.details->boundaries[0].truth, 1);
  EXPECT_DOUBLE_EQ(evaluation.details->boundaries[0].f1(), 1);
}

}  // namespace
}  // namespace plume::unet

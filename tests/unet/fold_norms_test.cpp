// Folding normalisations into convolutions changes roundings only, and takes away every normalisation that it can.
#include "unet/inference/fold_norms.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "../random_values.hpp"
#include "trained_network.hpp"
#include "unet/families.hpp"
#include "unet/inference/predict.hpp"

namespace plume::unet {
namespace {

using tests::trained_network;

std::ptrdiff_t count_norms(const Graph& graph) {
  return std::count_if(graph.layers.begin(), graph.layers.end(),
                       [](const Layer& layer) { return layer.kind == LayerKind::batch_norm; });
}

void expect_same_probabilities(const Network& network, const Network& folded) {
  const auto values = tests::random_values(std::size_t{2} * 16 * 24 * 3, 5);
  const std::vector<float> pixels(values.begin(), values.end());
  const auto expected = Predictor(network, 1).probabilities_of_normalized(pixels.data(), 2, 16, 24);
  const auto probabilities = Predictor(folded, 1).probabilities_of_normalized(pixels.data(), 2, 16, 24);
  ASSERT_EQ(probabilities.size(), expected.size());
  double least = 1;
  double most = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(probabilities[i], expected[i], 1e-5) << i;
    least = std::min(least, double{expected[i]});
    most = std::max(most, double{expected[i]});
  }
  EXPECT_GT(most - least, 0.01);  // not a network that says the same everywhere
}

TEST(FoldNorms, TakesAllOfTheClassicUNets) {
  for (const Up up : {Up::transposed, Up::bilinear}) {
    const Network network = trained_network(build_graph({Family::classic, 3, 1, 4, 2, up, 32}));
    const Network folded = fold_norms(network);
    EXPECT_EQ(count_norms(network.graph()), 10);
    EXPECT_EQ(count_norms(folded.graph()), 0);
    expect_same_probabilities(network, folded);
  }
}

TEST(FoldNorms, LeavesThoseBeforeAConvolution) {
  const Network network = trained_network(build_graph({Family::pixel_detector, 3, 1, 4, 2, Up::transposed, 6}));
  const Network folded = fold_norms(network);
  EXPECT_EQ(folded.graph(), network.graph());
  expect_same_probabilities(network, folded);
}

TEST(FoldNorms, FoldsIntoATransposedConvolutionAndKeepsItsBias) {
  Graph graph = build_graph({Family::classic, 3, 1, 4, 2, Up::transposed, 32});
  const auto up = std::find_if(graph.layers.begin(), graph.layers.end(),
                               [](const Layer& layer) { return layer.kind == LayerKind::conv_transpose2d; });
  ASSERT_TRUE(up != graph.layers.end() && up->bias);
  Layer norm{.name = "up.norm", .kind = LayerKind::batch_norm, .inputs = {up->name}};
  for (Layer& layer : graph.layers) std::replace(layer.inputs.begin(), layer.inputs.end(), up->name, norm.name);
  graph.layers.insert(up + 1, norm);
  const Network network = trained_network(graph);
  const Network folded = fold_norms(network);
  EXPECT_EQ(count_norms(folded.graph()), 0);
  expect_same_probabilities(network, folded);
}

TEST(FoldNorms, LeavesOneWhoseConvolutionOthersRead) {
  Graph graph = build_graph({Family::classic, 3, 1, 4, 2, Up::transposed, 32});
  Layer* sum = nullptr;
  for (Layer& layer : graph.layers) {
    if (layer.name == "enc0.relu1") sum = &layer;
  }
  ASSERT_NE(sum, nullptr);
  *sum = {.name = sum->name, .kind = LayerKind::add, .inputs = {"enc0.norm1", "enc0.conv1"}};
  const Network network = trained_network(graph);
  const Network folded = fold_norms(network);
  EXPECT_EQ(count_norms(folded.graph()), 1);
  expect_same_probabilities(network, folded);
}

}  // namespace
}  // namespace plume::unet

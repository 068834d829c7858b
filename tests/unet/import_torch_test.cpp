// Weights from a safetensors file must fit the graph, name by name.
#include "unet/import_torch.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "../expect_error.hpp"
#include "../scratch_folder.hpp"
#include "nn/safetensors.hpp"

namespace plume::unet {
namespace {

using tests::expect_input_error;

Graph two_layers() {
  Graph graph;
  graph.input.bands = 2;
  graph.layers = {
      {.name = "norm", .kind = LayerKind::batch_norm, .inputs = {"input"}},
      {.name = "head", .kind = LayerKind::conv2d, .inputs = {"norm"}, .channels = 1, .kernel = 1, .bias = true}};
  return graph;
}

class ImportTorchTest : public testing::Test {
 protected:
  void save(const std::vector<nn::NamedTensor>& tensors) {
    std::vector<nn::TensorSource> sources;
    for (const nn::NamedTensor& tensor : tensors) {
      sources.push_back({tensor.name, DType::f32, tensor.shape, std::as_bytes(std::span(tensor.values))});
    }
    const std::int64_t counter = 40;
    sources.push_back({"norm.num_batches_tracked", DType::i64, {}, std::as_bytes(std::span(&counter, 1))});
    nn::save_safetensors(path_, {}, sources);
  }
  void expect_refused(std::string_view part, std::string_view other = "") {
    save(tensors_);
    expect_input_error([&] { (void)read_torch_safetensors(path_, two_layers()); }, path_.string(), part, other);
  }

  tests::ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "state.safetensors";
  // Not in the graph's order.
  std::vector<nn::NamedTensor> tensors_{{"head.bias", {1}, {0.5F}},         {"head.weight", {1, 2, 1, 1}, {1, 2}},
                                        {"norm.weight", {2}, {3, 4}},       {"norm.bias", {2}, {5, 6}},
                                        {"norm.running_mean", {2}, {7, 8}}, {"norm.running_var", {2}, {9, 10}}};
};

TEST_F(ImportTorchTest, ParametersComeInTheGraphsOrder) {
  save(tensors_);
  const std::vector<nn::NamedTensor> read = read_torch_safetensors(path_, two_layers());
  const std::vector<ParameterShape> shapes = parameter_shapes(two_layers());
  ASSERT_EQ(read.size(), shapes.size());
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    EXPECT_EQ(read[i].name, shapes[i].name);
    EXPECT_EQ(read[i].shape, shapes[i].shape);
  }
  EXPECT_EQ(read[0].values, (std::vector<float>{3, 4}));
  EXPECT_EQ(read[4].values, (std::vector<float>{1, 2}));
}

TEST_F(ImportTorchTest, MissingSurplusAndMisshapenTensorsAreListed) {
  tensors_[0].name = "tail.bias";
  tensors_[1].shape = {2, 1, 1, 1};
  expect_refused("missing: head.bias; surplus: tail.bias",
                 "of another shape: head.weight [2, 1, 1, 1] instead of [1, 2, 1, 1]");
  tensors_.clear();
  expect_refused("missing: norm.weight, norm.bias, norm.running_mean, norm.running_var and 2 more");
}

// plume quantize keeps ranges beside the weights.
TEST_F(ImportTorchTest, RangesArePassedOver) {
  tensors_.push_back({"norm.range", {2, 3}, {0, 1, 2, 3, 4, 5}});
  save(tensors_);
  EXPECT_EQ(read_torch_safetensors(path_, two_layers()).size(), tensors_.size() - 1);
}

TEST_F(ImportTorchTest, NonFiniteValuesAreNamed) {
  tensors_[3].values[1] = std::numeric_limits<float>::infinity();
  expect_refused("\"norm.bias\" holds NaN or infinity");
}

TEST_F(ImportTorchTest, TensorsOfIntegersAreRefused) {
  const std::int32_t one = 1;
  Graph graph = two_layers();
  graph.layers = {graph.layers[1]};
  graph.layers[0].inputs = {"input"};
  graph.layers[0].bias = false;
  graph.input.bands = 1;
  nn::save_safetensors(
      path_, {},
      std::vector<nn::TensorSource>{{"head.weight", DType::i32, {1, 1, 1, 1}, std::as_bytes(std::span(&one, 1))}});
  expect_input_error([&] { (void)read_torch_safetensors(path_, graph); }, "\"head.weight\" holds I32, not floats");
}

}  // namespace
}  // namespace plume::unet

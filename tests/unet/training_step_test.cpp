// A batch computed in parts moves the parameters as the whole batch does, where no layer looks across images; values
// computed again are the same.
#include "unet/training_step.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "../random_values.hpp"
#include "conv_layer.hpp"
#include "data/loading/random_batch.hpp"
#include "kernels/loss.hpp"
#include "kernels/profile.hpp"
#include "nn/arena.hpp"
#include "nn/initialize.hpp"
#include "nn/transfer.hpp"
#include "unet/families.hpp"
#include "unet/inference/padding.hpp"

namespace plume::unet {
namespace {

constexpr int edge = 12;
constexpr int bands = 3;

// Without batch normalisation, whose statistics are those of a part.
Graph plain_graph() {
  Graph graph;
  graph.input.bands = bands;
  graph.layers = {
      {.name = "conv",
       .kind = LayerKind::conv2d,
       .inputs = {"input"},
       .channels = 5,
       .kernel = 3,
       .pad = {1, 1, 1, 1},
       .bias = true},
      {.name = "relu", .kind = LayerKind::relu, .inputs = {"conv"}},
      {.name = "pool", .kind = LayerKind::max_pool, .inputs = {"relu"}},
      {.name = "up",
       .kind = LayerKind::conv_transpose2d,
       .inputs = {"pool"},
       .channels = 4,
       .kernel = 2,
       .stride = 2,
       .bias = true},
      {.name = "skip", .kind = LayerKind::concat, .inputs = {"relu", "up"}},
      {.name = "head", .kind = LayerKind::conv2d, .inputs = {"skip"}, .channels = 1, .kernel = 1, .bias = true}};
  return graph;
}

struct Stepped {
  double loss = 0;
  std::vector<nn::NamedTensor> before;
  std::vector<nn::NamedTensor> after;
};

std::vector<nn::NamedTensor> values_of(const Network& network) {
  std::vector<nn::NamedTensor> values;
  for (const auto& info : network.parameters().all()) values.push_back(network.parameters().to_named(info));
  return values;
}

Stepped step_in_parts(const data::Batch& batch, int accumulate, int size = edge) {
  Config config;
  config.train.batch = 4;
  config.train.accumulate = accumulate;
  config.optimizer = {.kind = nn::OptimizerSettings::Kind::sgd, .momentum = 0, .weight_decay = 0};
  Network network(plain_graph());
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  nn::Optimizer optimizer(config.optimizer, network.parameters());
  Stepped result;
  result.before = values_of(network);
  result.loss = TrainingStep(network, config, size, size).run(batch, optimizer, 0.5);
  result.after = values_of(network);
  return result;
}

double norm(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += double{value} * double{value};
  return std::sqrt(sum);
}

std::vector<float> difference(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] - b[i];
  return result;
}

TEST(TrainingStepTest, AccumulationIsTheMeanOfItsParts) {
  for (const int images : {4, 3}) {  // 3: the last part holds one
    SCOPED_TRACE(images);
    const data::Batch batch = data::random_batch(images, edge, bands, 5);
    const Stepped whole = step_in_parts(batch, 1);
    for (const int parts : {2, 4}) {
      const Stepped accumulated = step_in_parts(batch, parts);
      EXPECT_NEAR(accumulated.loss, whole.loss, 1e-6 * whole.loss);
      for (std::size_t i = 0; i < whole.after.size(); ++i) {
        const std::vector<float>& expected = whole.after[i].values;
        EXPECT_LE(norm(difference(accumulated.after[i].values, expected)), 1e-6 * norm(expected))
            << whole.after[i].name << " in " << parts << " parts";
        EXPECT_GT(norm(difference(expected, whole.before[i].values)), 1e-3 * norm(expected))
            << whole.after[i].name << " did not move";
      }
    }
  }
}

// A batch whose images were padded before they were stored, with labels that say so.
data::Batch padded_batch(const data::Batch& batch, int size) {
  data::Batch padded = data::random_batch(batch.images, size, batch.bands, 1);
  const nn::Shape from{batch.images, batch.height, batch.width, batch.bands};
  const std::vector<float> pixels = pad(data::values_of(batch), from, {batch.images, size, size, batch.bands});
  std::memcpy(padded.pixels.data(), pixels.data(), padded.pixels.size());
  for (int n = 0, to = 0; n < batch.images; ++n) {
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x, ++to) {
        const bool within = y < batch.height && x < batch.width;
        const auto at = static_cast<std::size_t>((n * batch.height + y) * batch.width + x);
        padded.labels[static_cast<std::size_t>(to)] = within ? batch.labels[at] : kernels::ignore_label;
      }
    }
  }
  return padded;
}

TEST(TrainingStepTest, SizesThatTheNetworkCannotHalveArePadded) {
  for (const int size : {edge - 1, edge - 2}) {  // the former takes a column and a row, the latter none
    const data::Batch batch = data::random_batch(4, size, bands, 5);
    const int whole = round_up(size, 2);
    const Stepped ours = step_in_parts(batch, 1, size);
    const Stepped theirs = step_in_parts(padded_batch(batch, whole), 1, whole);
    EXPECT_EQ(ours.loss, theirs.loss);
    for (std::size_t i = 0; i < ours.after.size(); ++i) EXPECT_EQ(ours.after[i].values, theirs.after[i].values);
  }
}

Config small_training(Family family, Recompute recompute) {
  Config config;
  config.model = {.family = family, .bands = bands, .base = 6, .depth = 2};
  config.train.batch = 2;
  config.train.recompute = recompute;
  return config;
}

TEST(TrainingStepTest, RecomputedValuesAreTheSameBits) {
  const data::Batch batch = data::random_batch(2, edge, bands, 5);
  const auto train = [&](Family family, Fusion fusion, Recompute recompute) {
    const Config config = small_training(family, recompute);
    Network network(build_graph(config.model), DType::f32, fusion);
    nn::initialize(network.parameters(), nn::Initializer::he, 1);
    nn::Optimizer optimizer(config.optimizer, network.parameters());
    TrainingStep step(network, config, edge, edge);
    for (int i = 0; i < 2; ++i) (void)step.run(batch, optimizer, 1e-2);
    return values_of(network);
  };
  for (const Family family : {Family::classic, Family::pixel_detector}) {
    for (const Fusion fusion : {Fusion::on, Fusion::off}) {
      const auto kept = train(family, fusion, Recompute::never);
      const auto recomputed = train(family, fusion, Recompute::always);
      for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(recomputed[i].values, kept[i].values) << kept[i].name;
    }
  }
}

struct Gradients {
  std::vector<nn::NamedTensor> values;
  std::set<std::string> computed;  // layers with a gradient pass, and which: "enc0.conv1 weight gradient"
};

Gradients gradients_of(Family family, const std::vector<std::string>& frozen) {
  Config config = small_training(family, Recompute::always);
  kernels::Profile profile;
  kernels::Stream stream = kernels::CpuStream(2);
  Network network(build_graph(config.model), DType::f32, Fusion::on, &stream);
  nn::initialize(network.parameters(), nn::Initializer::he, 1);
  network.freeze(frozen);
  nn::Optimizer optimizer(config.optimizer, network.parameters());
  TrainingStep step(network, config, edge, edge);
  std::get<kernels::CpuStream>(stream).keep(&profile);
  (void)step.run(data::random_batch(2, edge, bands, 5), optimizer, 1e-2);
  Gradients result;
  for (const auto& info : network.parameters().all()) {
    if (info.kind != nn::ParameterKind::statistic)
      result.values.push_back(network.parameters().gradient_to_named(info));
  }
  for (const auto& entry : profile.entries()) result.computed.insert(entry.layer + " " + std::string(entry.pass));
  return result;
}

bool is_zero(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return value == 0; });
}

TEST(TrainingStepTest, FrozenParametersCostNoGradients) {
  const auto expect_alike = [](Family family, const std::vector<std::string>& frozen, const auto& is_frozen) {
    SCOPED_TRACE(frozen.front());
    const Gradients all = gradients_of(family, {});
    const Gradients some = gradients_of(family, frozen);
    for (std::size_t i = 0; i < all.values.size(); ++i) {
      const std::string& name = all.values[i].name;
      EXPECT_FALSE(is_zero(all.values[i].values)) << name;
      if (is_frozen(name)) {
        EXPECT_TRUE(is_zero(some.values[i].values)) << name;
      } else {
        EXPECT_EQ(some.values[i].values, all.values[i].values) << name;
      }
    }
    return some.computed;
  };
  // Before all that is trained nothing is computed, neither weights' nor values' gradients.
  const auto encoder =
      expect_alike(Family::classic, {"enc*"}, [](const std::string& name) { return name.starts_with("enc"); });
  EXPECT_TRUE(encoder.contains("dec0.conv1 weight gradient"));
  EXPECT_TRUE(encoder.contains("dec0.conv1 data gradient"));
  for (const std::string& pass : encoder)
    EXPECT_FALSE(pass.starts_with("enc") && (pass.ends_with("gradient") || pass.ends_with("backward"))) << pass;
  // Between what is trained values' gradients alone.
  const auto decoder = expect_alike(Family::classic, {"dec*", "up*"}, [](const std::string& name) {
    return name.starts_with("dec") || name.starts_with("up");
  });
  EXPECT_TRUE(decoder.contains("dec0.conv1 data gradient"));
  EXPECT_FALSE(decoder.contains("dec0.conv1 weight gradient"));
  const auto is_norm = [](const std::string& name) { return name.find("norm") != std::string::npos; };
  (void)expect_alike(Family::classic, {"*norm*"}, is_norm);
  (void)expect_alike(Family::pixel_detector, {"norm*"}, is_norm);
  (void)expect_alike(Family::pixel_detector, {"*.bias"},
                     [](const std::string& name) { return name.ends_with(".bias"); });
}

// Normalised values that a normalisation reads, that are concatenated twice over, and that the network yields.
Graph unusual_graph() {
  Graph graph;
  graph.input.bands = bands;
  graph.layers = {
      tests::conv_layer("conv1", "input", 4),
      {.name = "norm1", .kind = LayerKind::batch_norm, .inputs = {"conv1"}},
      {.name = "relu1", .kind = LayerKind::relu, .inputs = {"norm1"}},
      {.name = "norm2", .kind = LayerKind::batch_norm, .inputs = {"relu1"}},
      tests::conv_layer("conv2", "norm2", 4),
      {.name = "relu2", .kind = LayerKind::relu, .inputs = {"conv2"}},
      {.name = "twice", .kind = LayerKind::concat, .inputs = {"relu2", "relu2"}},
      {.name = "norm3", .kind = LayerKind::batch_norm, .inputs = {"twice"}},
      tests::conv_layer("conv3", "norm3", 2),
      {.name = "relu3", .kind = LayerKind::relu, .inputs = {"conv3"}},
      tests::conv_layer("conv4", "relu3", 1),
      {.name = "norm4", .kind = LayerKind::batch_norm, .inputs = {"conv4"}},
      {.name = "relu4", .kind = LayerKind::relu, .inputs = {"norm4"}},
      {.name = "last", .kind = LayerKind::concat, .inputs = {"relu4", "relu4"}},
  };
  graph.classes = 2;
  return graph;
}

TEST(TrainingStepTest, UnusualGraphsAreRecomputedToo) {
  const data::Batch batch = data::random_batch(2, edge, bands, 5);
  const auto train = [&](Recompute recompute) {
    Config config = small_training(Family::classic, recompute);
    Network network(unusual_graph());
    nn::initialize(network.parameters(), nn::Initializer::he, 1);
    nn::Optimizer optimizer(config.optimizer, network.parameters());
    TrainingStep step(network, config, edge, edge);
    for (int i = 0; i < 2; ++i) (void)step.run(batch, optimizer, 1e-2);
    return values_of(network);
  };
  const auto kept = train(Recompute::never);
  const auto recomputed = train(Recompute::always);
  for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(recomputed[i].values, kept[i].values) << kept[i].name;
}

// Without a tape normalisations work in place where they may.
TEST(TrainingStepTest, UnusualGraphsPredictAsLayerByLayer) {
  const data::Batch batch = data::random_batch(2, edge, bands, 5);
  const auto logits = [&](Fusion fusion) {
    kernels::Stream stream{kernels::CpuStream(1)};
    Network network(unusual_graph(), DType::f32, fusion, &stream);
    nn::initialize(network.parameters(), nn::Initializer::he, 1);
    nn::Arena arena(&stream);
    const nn::Context context{.stream = stream, .arena = arena};
    const nn::Tensor images = context.allocate({2, edge, edge, bands}, DType::f32, "images");
    const auto values = tests::random_values(images.shape().count(), 3);
    const std::vector<float> pixels(values.begin(), values.end());
    nn::upload(images, pixels.data(), stream);
    return nn::download(network(context, images), stream);
  };
  EXPECT_EQ(logits(Fusion::on), logits(Fusion::off));
}

TEST(TrainingStepTest, RecomputationTakesAThirdLessMemory) {
  const auto memory = [](Recompute recompute) {
    const Config config = small_training(Family::classic, recompute);
    Network network(build_graph(config.model));
    const std::string table = TrainingStep(network, config, 256, 256).describe_memory();
    const std::size_t line = table.rfind('\n', table.rfind("  arena")) + 1;
    return std::stod(table.substr(line));
  };
  EXPECT_LT(memory(Recompute::always), 0.67 * memory(Recompute::never));
  EXPECT_EQ(memory(Recompute::automatic), memory(Recompute::always));
}

}  // namespace
}  // namespace plume::unet

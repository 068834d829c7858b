// Replays in plume a training that PyTorch recorded and says how far the two part.
#include "replay.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>
#include <vector>

#include "nn/loss.hpp"
#include "nn/optimizer.hpp"
#include "nn/safetensors.hpp"
#include "nn/tape.hpp"
#include "unet/inference/network.hpp"

namespace plume::tests {
namespace {

using nlohmann::json;

// In L2 norm; where theirs is zero, so must ours be.
double relative_error(std::span<const double> ours, std::span<const float> theirs) {
  if (ours.size() != theirs.size()) return std::numeric_limits<double>::infinity();
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    difference += std::pow(ours[i] - double{theirs[i]}, 2);
    norm += std::pow(double{theirs[i]}, 2);
  }
  return difference == 0 ? 0 : std::sqrt(difference / norm);
}

std::vector<double> widened(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

// NHWC with all channels of several tensors side by side.
std::vector<double> pixels(const nn::Inputs& inputs) {
  const nn::Shape all = inputs.shape();
  const auto channels = static_cast<std::size_t>(all.c);
  std::vector<double> values(all.count());
  std::size_t first = 0;
  for (const nn::Tensor& tensor : inputs) {
    const auto own = static_cast<std::size_t>(tensor.shape().c);
    nn::with_type(tensor.dtype(), [&](auto element) {
      const auto* data = tensor.data<decltype(element)>();
      for (std::size_t i = 0; i < tensor.shape().count(); ++i) {
        values[i / own * channels + first + i % own] = static_cast<double>(data[i]);
      }
    });
    first += own;
  }
  return values;
}

nn::OptimizerSettings optimizer_settings(const json& recipe) {
  nn::OptimizerSettings settings;
  settings.kind =
      recipe.at("optimizer") == "adamw" ? nn::OptimizerSettings::Kind::adamw : nn::OptimizerSettings::Kind::sgd;
  settings.beta1 = recipe.at("beta1");
  settings.beta2 = recipe.at("beta2");
  settings.epsilon = recipe.at("epsilon");
  settings.momentum = recipe.at("momentum");
  settings.nesterov = recipe.at("nesterov");
  settings.weight_decay = recipe.at("weight_decay");
  return settings;
}

std::vector<nn::NamedTensor> named_tensors(const nn::SafetensorsFile& file) {
  std::vector<nn::NamedTensor> tensors;
  for (const nn::TensorInfo& info : file.tensors()) tensors.push_back({info.name, info.shape, file.floats(info.name)});
  return tensors;
}

// The recorded batches {batches, images, height, width, bands} with their labels.
class Batches {
 public:
  explicit Batches(const std::filesystem::path& path) : file_(path), images_(file_.floats("images")) {
    const std::vector<std::int64_t>& shape = file_.find("images")->shape;
    count_ = static_cast<std::size_t>(shape.at(0));
    shape_ = {static_cast<int>(shape.at(1)), static_cast<int>(shape.at(2)), static_cast<int>(shape.at(3)),
              static_cast<int>(shape.at(4))};
  }

  [[nodiscard]] nn::Tensor images(std::size_t step, DType dtype, nn::Arena& arena) const {
    nn::Tensor tensor(shape_, dtype, "images", arena.allocate(shape_.count() * size_of(dtype), "images"), false);
    const float* source = images_.data() + step % count_ * shape_.count();
    nn::with_type(dtype, [&](auto element) { std::copy_n(source, shape_.count(), tensor.data<decltype(element)>()); });
    return tensor;
  }
  [[nodiscard]] const std::uint8_t* labels(std::size_t step) const {
    const std::size_t pixels = shape_.count() / static_cast<std::size_t>(shape_.c);
    const auto* all = reinterpret_cast<const std::uint8_t*>(file_.bytes(*file_.find("labels")).data());
    return all + step % count_ * pixels;
  }

 private:
  nn::SafetensorsFile file_;
  std::vector<float> images_;
  std::size_t count_ = 0;
  nn::Shape shape_;
};

Counts counts_of(const unet::Network& network, unet::Fusion fusion) {
  const auto& layers = network.graph().layers;
  const auto& infos = network.parameters().all();
  const auto statistics = std::ranges::count(infos, nn::ParameterKind::statistic, &nn::ParameterInfo::kind);
  Counts all;
  all.layers = static_cast<int>(fusion == unet::Fusion::off ? layers.size()
                                                            : unet::make_plan(network.graph(), fusion).steps.size());
  all.parameters = static_cast<int>(infos.size());
  all.trainable = all.parameters - static_cast<int>(statistics);
  return all;
}

class Replay {
 public:
  Replay(const Recording& recording, DType dtype, unet::Fusion fusion, kernels::ConvPolicy convolutions)
      : batches_(recording.batches),
        record_(recording.record),
        recipe_(json::parse(record_.metadata().at("recipe"))),
        network_(make_network(recording.model, dtype, fusion)),
        optimizer_(optimizer_settings(recipe_), network_.parameters()),
        stream_(kernels::CpuStream(2, convolutions)) {
    difference_.all = counts_of(network_, fusion);
  }

  Difference run() {
    const std::vector<float> losses = record_.floats("loss");
    for (std::size_t i = 0; i < losses.size(); ++i) {
      difference_.loss.add(std::abs(step(i) / double{losses[i]} - 1), fmt::format("step {}", i + 1));
    }
    for (const auto& info : network_.parameters().all()) {
      compare(difference_.parameter, "parameter/" + info.name, widened(network_.parameters().to_named(info).values));
    }
    return difference_;
  }

 private:
  static unet::Network make_network(const std::filesystem::path& path, DType dtype, unet::Fusion fusion) {
    const nn::SafetensorsFile file(path);
    unet::Network network(unet::graph_from_json(file.metadata().at("plume.graph")), dtype, fusion);
    load_parameters(network, named_tensors(file));
    return network;
  }

  void compare(Worst& worst, const std::string& name, std::span<const double> ours) {
    if (record_.find(name) != nullptr) worst.add(relative_error(ours, record_.floats(name)), name);
  }

  double step(std::size_t index) {
    nn::Parameters& parameters = network_.parameters();
    nn::Tape tape;
    const nn::Context context{.stream = stream_, .arena = arena_, .tape = &tape, .training = true};
    const nn::Tensor images = batches_.images(index, parameters.dtype(), arena_);
    unet::Network::Observer observer;
    if (index == 0) {
      observer = [&](const std::string& layer, const nn::Inputs& output) {
        compare(difference_.forward, "forward/" + layer, pixels(output));
      };
    }
    const nn::Tensor logits = network_(context, images, observer);
    if (index == 0) compare(difference_.family, "family/logits", pixels(logits));

    nn::LossSettings settings;
    settings.dice = recipe_.at("loss") == "bce_dice" ? 1 : 0;
    const double loss = nn::loss(context, logits, {batches_.labels(index), nullptr}, settings);
    nn::backward(context, tape);
    if (index == 0) {
      for (const auto& info : parameters.all()) {
        if (info.kind == nn::ParameterKind::statistic) continue;
        compare(difference_.gradient, "gradient/" + info.name, widened(parameters.gradient_to_named(info).values));
      }
    }
    optimizer_.step(parameters, recipe_.at("lr"), stream_);
    return loss;
  }

  Batches batches_;
  nn::SafetensorsFile record_;
  json recipe_;
  unet::Network network_;
  nn::Optimizer optimizer_;
  kernels::Stream stream_;
  nn::Arena arena_;
  Difference difference_;
};

}  // namespace

void Worst::add(double candidate, const std::string& name) {
  ++compared;
  // Not a number is as far as can be, and compares as nothing.
  if (std::isnan(candidate)) candidate = std::numeric_limits<double>::infinity();
  if (candidate <= error) return;
  error = candidate;
  where = name;
}

void expect_all_compared(const Difference& apart, Recorded recorded) {
  const bool layers = recorded == Recorded::with_layers;
  EXPECT_EQ(apart.forward.compared, layers ? apart.all.layers : 0);
  EXPECT_EQ(apart.family.compared, layers ? 1 : 0);
  EXPECT_EQ(apart.gradient.compared, apart.all.trainable);
  EXPECT_EQ(apart.parameter.compared, apart.all.parameters);
  EXPECT_GT(apart.loss.compared, 1);
}

Difference replay(const Recording& recording, DType dtype, unet::Fusion fusion, kernels::ConvPolicy convolutions) {
  return Replay(recording, dtype, fusion, convolutions).run();
}

}  // namespace plume::tests

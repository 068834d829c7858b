// Keys that do not go together are refused before anything is opened.
#include <algorithm>

#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"
#include "unet/config.hpp"

namespace plume::unet {
namespace {

void check_loss(const Config& config) {
  const nn::LossSettings& loss = config.loss;
  const double means = loss.cross_entropy + loss.focal + loss.ordinal;
  if (means + loss.dice + loss.tversky + loss.lovasz == 0) {
    throw input_error(
        "loss.cross_entropy, dice, focal, tversky, lovasz and ordinal are all 0, so there is nothing to learn; "
        "set one of them to 1");
  }
  if (loss.ordinal > 0 && (config.model.classes < 2 || config.model.classes > kernels::most_ordinal_classes)) {
    throw input_error(
        "loss.ordinal is for 2 to {} classes in their order, and model.classes is {}; use loss.cross_entropy",
        kernels::most_ordinal_classes, config.model.classes);
  }
  if (loss.label_smoothing > 0 && loss.cross_entropy == 0) {
    throw input_error("loss.label_smoothing changes loss.cross_entropy alone, which is 0; set one of them");
  }
  if (loss.tversky > 0 && loss.tversky_shape.alpha + loss.tversky_shape.beta == 0) {
    throw input_error("loss.tversky_alpha and tversky_beta are both 0, so no mistake would cost anything");
  }
  if (config.class_weights.empty()) return;
  const auto labels = static_cast<std::size_t>(std::max(config.model.classes, 2));
  if (config.class_weights.size() != labels) {
    throw input_error("loss.class_weights has {} numbers, and there are {} labels with model.classes = {}",
                      config.class_weights.size(), labels, config.model.classes);
  }
  if (std::all_of(config.class_weights.begin(), config.class_weights.end(),
                  [](double weight) { return weight == 0; })) {
    throw input_error("loss.class_weights are all 0, so there is nothing to learn");
  }
  if (means == 0) {
    throw input_error(
        "loss.class_weights are of loss.cross_entropy, focal and ordinal, which are all 0; set one of them, or leave "
        "the weights out");
  }
}

void check_model(const Config& config) {
  const ModelSettings& model = config.model;
  if (model.deep_supervision < model.depth) return;
  throw input_error(
      "model.deep_supervision = {}: of model.depth = {} levels all but the last can have a head, so it is 0 to {}",
      model.deep_supervision, model.depth, model.depth - 1);
}

void check_optimizer(const Config& config) {
  using Kind = nn::OptimizerSettings::Kind;
  if (!config.optimizer.nesterov) return;
  if (config.optimizer.kind != Kind::sgd && config.optimizer.kind != Kind::lars) {
    throw input_error("optimizer.nesterov is of sgd and lars; leave it out, or set optimizer.name = \"sgd\"");
  }
  if (config.optimizer.momentum == 0) {
    throw input_error("optimizer.nesterov needs an optimizer.momentum above 0, for example 0.9");
  }
}

}  // namespace

void require_consistent(const Config& config) {
  if (config.train.steps == 0 && config.train.epochs == 0) {
    throw input_error("neither train.steps nor train.epochs is set, so there is nothing to train");
  }
  if (config.train.batch % config.train.accumulate != 0) {
    throw input_error("train.batch = {} does not divide into train.accumulate = {} equal parts", config.train.batch,
                      config.train.accumulate);
  }
  check_model(config);
  check_loss(config);
  check_optimizer(config);
}

}  // namespace plume::unet

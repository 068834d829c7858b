// The learning-rate range test.
#include "unet/find_rate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/loading/loader.hpp"
#include "data/shards/shard.hpp"
#include "kernels/base/error.hpp"
#include "nn/initialize.hpp"
#include "unet/evaluate.hpp"
#include "unet/import_torch.hpp"
#include "unet/training_setup.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

constexpr double smoothing = 0.9;
constexpr double too_much = 4;  // times the least
constexpr double fall = 0.98;   // what is less of one is noise
constexpr std::size_t rows = 24;
constexpr double columns = 50;

// The mean of losses, the newer ones weighing more.
class SmoothedLoss {
 public:
  double add(double loss) {
    sum_ = smoothing * sum_ + (1 - smoothing) * loss;
    weight_ = smoothing * weight_ + (1 - smoothing);
    return sum_ / weight_;
  }

 private:
  double sum_ = 0;
  double weight_ = 0;
};

const RateTrial& least_of(const std::vector<RateTrial>& trials) {
  return *std::min_element(trials.begin(), trials.end(),
                           [](const RateTrial& a, const RateTrial& b) { return a.smoothed < b.smoothed; });
}

}  // namespace

RateSearch judge(std::vector<RateTrial> trials) {
  const RateTrial least = trials.empty() ? RateTrial() : least_of(trials);
  if (trials.empty() || least.smoothed > fall * trials.front().smoothed)
    throw input_error("the loss fell at no learning rate; look at the labels, or at model.weights");
  return {std::move(trials), least.rate / 10, least.rate};
}

RateSearch find_rate(const Config& config, const RateRange& range) {
  const data::Shard shard = open_shard(config);
  kernels::Stream stream = make_stream(config.train.device, config.train.threads);
  Network network = network_for(config, shard, &stream);
  if (config.weights.empty()) {
    nn::initialize(network.parameters(), config.initializer, config.train.seed);
  } else {
    load_parameters(network, read_torch_safetensors(config.weights, network.graph()));
  }
  nn::Optimizer optimizer(config.optimizer, network.parameters());
  require_hard_labels(config, shard);
  TrainingStep step(network, config, shard.info().height, shard.info().width);
  if (has_soft_labels(network.graph(), shard)) step.use_soft_labels(shard.info().label_target);
  data::Loader loader(shard, sampling_of(config, 0, 1), network.graph().input.mean, network.graph().input.std,
                      config.data.loader_threads, 2 * config.data.loader_threads);
  std::vector<RateTrial> trials;
  SmoothedLoss smoothed;
  for (int i = 0; i < range.steps; ++i) {
    data::Batch batch = loader.next();
    const double share = range.steps == 1 ? 0 : static_cast<double>(i) / (range.steps - 1);
    const double rate = range.lowest * std::pow(range.highest / range.lowest, share);
    const double loss = step.run(batch, optimizer, rate);
    loader.recycle(std::move(batch));
    if (!std::isfinite(loss) || !optimizer.finite()) break;
    trials.push_back({rate, loss, smoothed.add(loss)});
    if (trials.back().smoothed > too_much * least_of(trials).smoothed) break;
  }
  return judge(std::move(trials));
}

std::string to_text(const RateSearch& search) {
  const auto& trials = search.trials;
  double most = 0;
  for (const RateTrial& trial : trials) most = std::max(most, trial.smoothed);
  std::string text = fmt::format("{:>10} {:>10}\n", "rate", "loss");
  for (std::size_t row = 0; row < std::min(rows, trials.size()); ++row) {
    const RateTrial& trial = trials[row * trials.size() / std::min(rows, trials.size())];
    const auto length = static_cast<std::size_t>(columns * trial.smoothed / most);
    text += fmt::format("{:>10.2e} {:>10.4f}  {}\n", trial.rate, trial.smoothed, std::string(length, '='));
  }
  return text +
         fmt::format(
             "the loss is least at a rate of {:.1e}; a tenth of it is one to begin with: optimizer.lr = {:.1e}\n",
             search.lowest, search.suggested);
}

}  // namespace plume::unet

// One optimiser step after another, with validations, checkpoints and a log between them.
#include "unet/train.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>

#include "data/loading/loader.hpp"
#include "data/shards/shard.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "kernels/base/fnv1a.hpp"
#include "unet/evaluate.hpp"
#include "unet/folder_lock.hpp"
#include "unet/import_torch.hpp"
#include "unet/stop_signal.hpp"
#include "unet/train_log.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

data::Shard open_shard(const Config& config) {
  if (config.data.shard.empty()) throw input_error("data.shard is not set: which tiles shall be trained on?");
  return data::Shard(config.data.shard);
}

Graph graph_for(const Config& config, const data::Shard& shard) {
  Graph graph = build_graph(config.model);
  require_fit(graph, shard);
  const int multiple = size_multiple(graph);
  if (config.train.crop > std::min(shard.info().height, shard.info().width)) {
    throw input_error("train.crop = {} is larger than the tiles, {}x{}", config.train.crop, shard.info().height,
                      shard.info().width);
  }
  if (config.train.crop % multiple != 0) {
    throw input_error("train.crop = {} does not fit the model, which needs multiples of {}", config.train.crop,
                      multiple);
  }
  if (config.data.normalize) {
    graph.input.mean = shard.info().mean;
    graph.input.std = shard.info().std;
  }
  return graph;
}

data::Sampling sampling_of(const Config& config) {
  const TrainSettings& train = config.train;
  data::Sampling sampling;
  sampling.batch = train.batch;
  sampling.crop = train.crop;
  sampling.flip = train.flip;
  sampling.rotate = train.rotate;
  sampling.class_share = static_cast<float>(train.class_share);
  sampling.class_threshold = static_cast<float>(train.class_threshold);
  sampling.seed = train.seed;
  sampling.shuffle_window = config.data.shuffle_window;
  sampling.augment = config.augment;
  return sampling;
}

// Over the names, so that a continuation on other tiles is noticed.
std::uint64_t hash_of_training_tiles(const data::Shard& shard) {
  std::uint64_t hash = fnv1a("");
  for (const int tile : shard.tiles(data::Split::train))
    hash = fnv1a(shard.info().name[static_cast<std::size_t>(tile)] + '\n', hash);
  return hash;
}

// Sums since the last row of the log.
struct Interval {
  double loss = 0;
  std::int64_t steps = 0;
  std::int64_t images = 0;
  double waited = 0;
  Clock::time_point start = Clock::now();

  [[nodiscard]] double mean_loss() const { return loss / static_cast<double>(std::max<std::int64_t>(steps, 1)); }
  [[nodiscard]] double images_per_second() const { return static_cast<double>(images) / seconds_since(start); }
};

// What is remembered of a batch that was handed on.
struct BatchPlace {
  std::int64_t epoch = 0;
  std::int64_t index = 0;
  int images = 0;
};

class Trainer {
 public:
  explicit Trainer(const TrainOptions& options)
      : options_(options),
        config_(options.config),
        shard_(open_shard(config_)),
        stream_(make_stream(config_.train.device, config_.train.threads)),
        network_(graph_for(config_, shard_), element_type(config_.train.device.precision), Fusion::on, &stream_),
        optimizer_(config_.optimizer, network_.parameters()),
        step_(network_, config_, shard_.info().height, shard_.info().width),
        validator_(network_),
        loader_(shard_, sampling_of(config_), network_.graph().input.mean, network_.graph().input.std,
                config_.data.loader_threads, 2 * config_.data.loader_threads) {
    progress_.seed = config_.train.seed;
    progress_.tiles = hash_of_training_tiles(shard_);
    progress_.instruction_set = arithmetic(stream_, config_.train.device.precision);
    steps_ = config_.train.steps > 0 ? config_.train.steps : config_.train.epochs * loader_.steps_per_epoch();
    if (options.resume.empty()) {
      start();
    } else {
      resume();
    }
    write_config();
    log_.emplace(options.output, progress_.step, steps_, options.quiet);
  }

  TrainOutcome run() {
    const StopSignal signals;
    const auto start = Clock::now();
    describe_run();
    bool enough = patience_is_over();  // a finished training that is resumed has nothing left to do
    while (progress_.step < steps_ && !enough && !StopSignal::requested()) {
      train_step();
      if (options_.after_step) options_.after_step(progress_.step);
      const bool last = progress_.step == steps_;
      if (progress_.step % config_.train.validate_every == 0 || last) {
        validate();
        enough = patience_is_over();
        save_last();
      } else if (progress_.step % config_.train.log_every == 0) {
        log_->write(take_row());
      }
    }
    const bool stopped = progress_.step < steps_ && !enough;
    if (stopped) {
      save_last();
      log_->line(fmt::format("stopped after step {}; {} is saved, --resume auto continues", progress_.step,
                             (options_.output / "last.safetensors").string()));
    } else if (enough) {
      log_->line(fmt::format("no better validation in {} of them: training ends early", config_.train.patience));
    }
    return {progress_, last_loss_, seconds_since(start), stopped};
  }

 private:
  void start() {
    nn::Parameters& parameters = network_.parameters();
    if (config_.weights.empty()) {
      nn::initialize(parameters, config_.initializer, config_.train.seed);
    } else {
      load_parameters(network_, read_torch_safetensors(config_.weights, network_.graph()));
    }
  }

  void resume() {
    const std::string path = options_.resume.string();
    const Resumed resumed = load_training(options_.resume, network_, optimizer_);
    require_same_sequence(resumed, path);
    const std::string here = progress_.instruction_set;
    progress_ = resumed.progress;
    if (progress_.instruction_set != here) {
      if (!options_.quiet) {
        fmt::print(stderr, "note: resumed with {}, begun with {}: last bits may differ\n", here,
                   progress_.instruction_set);
      }
      progress_.instruction_set = here;
    }
    const auto from = std::filesystem::absolute(options_.resume).parent_path();
    if (!std::filesystem::equivalent(options_.output, from)) {  // the best weights so far stay where they are
      progress_.best_iou = -1;
      progress_.best_step = 0;
      progress_.validations_since_best = 0;
    }
    loader_.seek(progress_.epoch, progress_.batch);
  }

  // A training can go on with another length or learning rate, which is said; not with other batches.
  void require_same_sequence(const Resumed& resumed, const std::string& path) {
    if (resumed.progress.tiles != progress_.tiles) {
      throw input_error("{}: was trained on other tiles than {} holds", path, shard_.path().string());
    }
    constexpr std::array fixed{"train.batch",         "train.accumulate", "train.crop",        "train.flip",
                               "train.rotate",        "train.seed",       "train.class_share", "train.class_threshold",
                               "data.shuffle_window", "optimizer.name"};
    for (const std::string& key : differing_keys(parse_config(resumed.config, path), config_)) {
      if (key.starts_with("augment.") || std::find(fixed.begin(), fixed.end(), key) != fixed.end()) {
        throw input_error("{}: was trained with another {}, so it cannot go on with this one", path, key);
      }
      const bool harmless = key == "train.threads" || key == "train.cuda_graph" || key == "train.recompute" ||
                            key == "data.loader_threads" || key == "data.shard" ||
                            key == "train.conv";  // arithmetic() tells
      if (!harmless && !options_.quiet) {
        fmt::print(stderr, "note: {} differs from what the training began with\n", key);
      }
    }
  }

  void write_config() {
    AtomicFile file(options_.output / "config.toml");
    file.write(to_toml(config_));
    file.commit();
  }

  void describe_run() {
    const data::ShardInfo& info = shard_.info();
    log_->line(fmt::format(
        "{}: {} training and {} validation tiles of {}x{}x{}; {} parameters; {}", shard_.path().string(),
        shard_.tiles(data::Split::train).size(), shard_.tiles(data::Split::val).size(), info.height, info.width,
        info.bands, network_.parameters().trainable_count(), describe_device(stream_, config_.train.device.precision)));
  }

  // Hands the loader's next batch on to the device.
  void put_batch() {
    const auto before = Clock::now();
    data::Batch batch = loader_.next();
    interval_.waited += seconds_since(before);
    step_.put(batch);
    put_.push_back({batch.epoch, batch.index, batch.images});
    loader_.recycle(std::move(batch));
  }

  // A batch that cannot be read must not cost the step that runs; the loader gives the error again when it is needed.
  void put_next_batch() {
    try {
      put_batch();
    } catch (const Error&) {
      return;
    }
  }

  void train_step() {
    if (put_.empty()) put_batch();
    const double rate = learning_rate(config_.schedule, progress_.step, steps_);
    step_.start(optimizer_, rate);
    if (progress_.step + 1 < steps_) put_next_batch();  // beside the running step
    last_loss_ = step_.finish();
    const BatchPlace batch = put_.front();
    put_.pop_front();
    if (!std::isfinite(last_loss_)) {
      throw input_error(
          "the loss of step {} is not finite; try a smaller optimizer.lr ({} was used), or look for wild "
          "values in the tiles",
          progress_.step + 1, rate);
    }
    ++progress_.step;
    progress_.epoch = batch.epoch;
    progress_.batch = batch.index + 1;
    if (progress_.batch == loader_.steps_per_epoch()) {
      ++progress_.epoch;
      progress_.batch = 0;
    }
    interval_.loss += last_loss_;
    ++interval_.steps;
    interval_.images += batch.images;
    say_graph_refusal();
    log_->progress(progress_.step, progress_.epoch, interval_.mean_loss(), interval_.images_per_second(),
                   seconds_since(interval_.start) / static_cast<double>(interval_.steps));
  }

  void say_graph_refusal() {
    if (step_.graph_refusal().empty() || graph_refusal_said_) return;
    graph_refusal_said_ = true;
    log_->line(fmt::format("steps are queued kernel by kernel, not replayed: {}", step_.graph_refusal()));
  }

  LogRow take_row() {
    LogRow row;
    row.step = progress_.step;
    row.epoch = progress_.epoch;
    row.loss = interval_.mean_loss();
    row.learning_rate = learning_rate(config_.schedule, progress_.step - 1, steps_);
    row.images_per_second = interval_.images_per_second();
    row.data_wait = interval_.waited / seconds_since(interval_.start);
    interval_ = Interval();
    return row;
  }

  [[nodiscard]] bool patience_is_over() const {
    return config_.train.patience > 0 && progress_.validations_since_best >= config_.train.patience;
  }

  // Nothing but a row of the log where there is no validation split.
  void validate() {
    require_finite_parameters();
    LogRow row = take_row();
    if (!shard_.tiles(data::Split::val).empty()) {
      const Evaluation result =
          evaluate(validator_, network_.graph(), shard_, data::Split::val, static_cast<float>(config_.train.threshold));
      const Confusion& smoke = result.counts.back();
      const double iou = foreground_iou(result.counts);
      const bool best = iou > progress_.best_iou;
      row.validation = {iou, smoke.dice(), smoke.precision(), smoke.recall(), best};
      if (best) {
        progress_.best_iou = iou;
        progress_.best_step = progress_.step;
        progress_.validations_since_best = 0;
        save_model(options_.output / "best.safetensors", network_, progress_, to_toml(config_));
      } else {
        ++progress_.validations_since_best;
      }
    }
    log_->write(row);
    interval_ = Interval();
  }

  void save_last() {
    require_finite_parameters();
    save_training(options_.output / "last.safetensors", network_, optimizer_, progress_, to_toml(config_));
  }

  // A loss can be finite while the update that followed was not: such weights must not replace good ones.
  void require_finite_parameters() const {
    if (network_.parameters().finite()) return;
    throw input_error(
        "the weights are no longer finite after step {}; the checkpoints keep the ones before; try a "
        "smaller optimizer.lr",
        progress_.step);
  }

  const TrainOptions& options_;
  Config config_;
  data::Shard shard_;
  kernels::Stream stream_;
  Network network_;
  nn::Optimizer optimizer_;
  TrainingStep step_;
  Predictor validator_;
  data::Loader loader_;
  Progress progress_;
  std::int64_t steps_ = 0;
  std::optional<TrainLog> log_;
  std::deque<BatchPlace> put_;
  Interval interval_;
  double last_loss_ = 0;
  bool graph_refusal_said_ = false;
};

}  // namespace

TrainOutcome train(const TrainOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(options.output, failed);
  if (failed) throw environment_error("cannot create {}: {}", options.output.string(), failed.message());
  const FolderLock lock(options.output);
  Trainer trainer(options);
  return trainer.run();
}

std::string describe_memory(const Config& config) {
  const data::Shard shard = open_shard(config);
  Network network(graph_for(config, shard), element_type(config.train.device.precision));
  TrainingStep step(network, config, shard.info().height, shard.info().width);
  const nn::Optimizer optimizer(config.optimizer, network.parameters());
  const std::size_t rounded = network.parameters().rounded() ? sizeof(bf16) : 0;
  const std::size_t per_value = (2 + optimizer.state().size()) * sizeof(float) + rounded;
  return step.describe_memory() +
         fmt::format("{:>10.2f}  parameters, gradients and optimiser\n",
                     static_cast<double>(per_value * network.parameters().flat_size()) / 1048576);
}

}  // namespace plume::unet

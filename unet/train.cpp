// One optimiser step after another, with validations, checkpoints and a log between them.
#include "unet/train.hpp"

#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>

#include "data/loader.hpp"
#include "data/shard.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "kernels/cpu/primitives.hpp"
#include "nn/loss.hpp"
#include "nn/tape.hpp"
#include "unet/evaluate.hpp"
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

Graph graph_for(const Config& config, const data::Shard& shard) {
  Graph graph = build_graph(config.model);
  require_fit(graph, shard);
  const int multiple = size_multiple(graph);
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

data::Sampling sampling_of(const TrainSettings& train) {
  data::Sampling sampling;
  sampling.batch = train.batch;
  sampling.crop = train.crop;
  sampling.flip = train.flip;
  sampling.rotate = train.rotate;
  sampling.class_share = static_cast<float>(train.class_share);
  sampling.class_threshold = static_cast<float>(train.class_threshold);
  sampling.seed = train.seed;
  return sampling;
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

class Trainer {
 public:
  explicit Trainer(const TrainOptions& options)
      : options_(options),
        config_(options.config),
        shard_(config_.data.shard),
        network_(graph_for(config_, shard_)),
        optimizer_(config_.optimizer, network_.parameters()),
        step_(network_, config_, shard_.info().height, shard_.info().width),
        validator_(network_, config_.train.threads),
        loader_(shard_, sampling_of(config_.train), network_.graph().input.mean, network_.graph().input.std,
                config_.data.loader_threads, 2 * config_.data.loader_threads) {
    progress_.seed = config_.train.seed;
    progress_.instruction_set = std::string(kernels::instruction_set());
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
    bool enough = false;
    while (progress_.step < steps_ && !enough && !StopSignal::requested()) {
      train_step();
      const bool last = progress_.step == steps_;
      if (progress_.step % config_.train.validate_every == 0 || last) {
        enough = validate() && config_.train.patience > 0 && progress_.validations_since_best >= config_.train.patience;
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
    const Resumed resumed = load_training(options_.resume, network_, optimizer_);
    if (resumed.progress.seed != config_.train.seed) {
      throw input_error("{}: was trained with train.seed = {}, not {}", options_.resume.string(), resumed.progress.seed,
                        config_.train.seed);
    }
    const std::string here = progress_.instruction_set;
    progress_ = resumed.progress;
    if (progress_.instruction_set != here) {
      fmt::print(stderr, "note: resumed with {} instructions, begun with {}: last bits may differ\n", here,
                 progress_.instruction_set);
      progress_.instruction_set = here;
    }
    loader_.seek(progress_.epoch, progress_.batch);
  }

  void write_config() {
    AtomicFile file(options_.output / "config.toml");
    file.write(to_toml(config_));
    file.commit();
  }

  void describe_run() {
    const data::ShardInfo& info = shard_.info();
    log_->line(fmt::format("{}: {} training and {} validation tiles of {}x{}x{}; {} parameters; {} instructions",
                           shard_.path().string(), shard_.tiles(data::Split::train).size(),
                           shard_.tiles(data::Split::val).size(), info.height, info.width, info.bands,
                           network_.parameters().trainable_count(), progress_.instruction_set));
  }

  void train_step() {
    const auto before = Clock::now();
    data::Batch batch = loader_.next();
    interval_.waited += seconds_since(before);
    const double rate = learning_rate(config_.schedule, progress_.step, steps_);
    last_loss_ = step_.run(batch, optimizer_, rate);
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
    loader_.recycle(std::move(batch));
    log_->progress(progress_.step, progress_.epoch, interval_.mean_loss(), interval_.images_per_second(),
                   seconds_since(interval_.start) / static_cast<double>(interval_.steps));
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

  // Whether there is a validation split.
  bool validate() {
    LogRow row = take_row();
    const bool possible = !shard_.tiles(data::Split::val).empty();
    if (possible) {
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
    return possible;
  }

  void save_last() {
    save_training(options_.output / "last.safetensors", network_, optimizer_, progress_, to_toml(config_));
  }

  const TrainOptions& options_;
  Config config_;
  data::Shard shard_;
  Network network_;
  nn::Optimizer optimizer_;
  TrainingStep step_;
  Predictor validator_;
  data::Loader loader_;
  Progress progress_;
  std::int64_t steps_ = 0;
  std::optional<TrainLog> log_;
  Interval interval_;
  double last_loss_ = 0;
};

}  // namespace

TrainOutcome train(const TrainOptions& options) {
  if (options.config.data.shard.empty()) throw input_error("data.shard is not set: which tiles shall be trained on?");
  std::error_code failed;
  std::filesystem::create_directories(options.output, failed);
  if (failed) throw environment_error("cannot create {}: {}", options.output.string(), failed.message());
  Trainer trainer(options);
  return trainer.run();
}

std::string describe_memory(const Config& config) {
  const data::Shard shard(config.data.shard);
  Network network(graph_for(config, shard));
  TrainingStep step(network, config, shard.info().height, shard.info().width);
  return step.describe_memory();
}

}  // namespace plume::unet

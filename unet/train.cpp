// One optimiser step after another, with validations, checkpoints and a log between them.
#include "unet/train.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>

#include "data/loading/loader.hpp"
#include "data/shards/shard.hpp"
#include "dist/launcher.hpp"
#include "dist/supervisor.hpp"
#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "unet/checkpoint_pieces.hpp"
#include "unet/evaluate.hpp"
#include "unet/gradient_exchange.hpp"
#include "unet/import_torch.hpp"
#include "unet/kept_checkpoints.hpp"
#include "unet/ranks.hpp"
#include "unet/run_folder.hpp"
#include "unet/run_record.hpp"
#include "unet/start_record.hpp"
#include "unet/step_guard.hpp"
#include "unet/stop_signal.hpp"
#include "unet/train_log.hpp"
#include "unet/training_setup.hpp"
#include "unet/training_step.hpp"
#include "unet/validation.hpp"

namespace plume::unet {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What is remembered of a batch that was handed on.
struct BatchPlace {
  std::int64_t epoch = 0;
  std::int64_t index = 0;
  int images = 0;  // of this rank
};

class Trainer {
 public:
  explicit Trainer(const TrainOptions& options)
      : options_(options),
        config_(options.config),
        ranks_(options.communicator),
        shard_(open_shard(config_)),
        stream_(make_stream(config_.train.device, config_.train.threads, ranks_.gpu(config_.train.device))),
        network_(network_for(config_, shard_, &stream_)),
        optimizer_(config_.optimizer, network_.parameters()),
        exchange_(exchange_for(config_, ranks_, network_, stream_)),
        step_(network_, config_, shard_.info().height, shard_.info().width, exchange_ ? &*exchange_ : nullptr),
        averaged_(averaged_for(config_, network_, stream_)),
        validator_(averaged_ ? *averaged_ : network_),
        guard_(config_.train, options.output),
        loader_(shard_, sampling_of(config_, ranks_.rank(), ranks_.size()), network_.graph().input.mean,
                network_.graph().input.std, config_.data.loader_threads, 2 * config_.data.loader_threads) {
    require_share_for_all(config_, shard_, ranks_.size());
    require_validation(config_, shard_);
    require_hard_labels(config_, shard_);
    if (has_soft_labels(network_.graph(), shard_)) step_.use_soft_labels(shard_.info().label_target);
    progress_.seed = config_.train.seed;
    progress_.tiles = hash_of_training_tiles(shard_);
    progress_.instruction_set = arithmetic(stream_, config_.train.device.precision);
    steps_ = config_.train.steps > 0 ? config_.train.steps : config_.train.epochs * loader_.steps_per_epoch();
    if (ranks_.leads() && options.resume.empty()) start();
    if (ranks_.leads() && !options.resume.empty()) resume();
    ranks_.share(network_, optimizer_, progress_);
    if (progress_.step > 0) guard_.saved(progress_.step);
    ranks_.done(progress_.step);
    loader_.seek(progress_.epoch, progress_.batch);
  }

  // Whether a step is left to take: of a finished training that is resumed none is.
  [[nodiscard]] bool has_work() const { return progress_.step < steps_ && !patience_is_over(); }

  TrainOutcome run() {
    if (ranks_.leads() && has_work()) {
      write_config();
      record_start(options_.output, {describe_device(stream_, config_.train.device.precision), ranks_.size(),
                                     config_.train.seed, progress_.step, network_.parameters().trainable_count()});
      log_.emplace(options_.output, progress_.step, steps_, options_.quiet);
    }
    const auto start = Clock::now();
    describe_run();
    bool enough = patience_is_over();
    while (progress_.step < steps_ && !enough && !to_stop()) {
      train_step();
      if (options_.after_step) options_.after_step(progress_.step);
      const bool last = progress_.step == steps_;
      if (progress_.step % config_.train.validate_every == 0 || last) {
        validate();
        enough = patience_is_over();
        save_last();
      } else if (progress_.step % config_.train.log_every == 0) {
        write_row(take_row());
      }
    }
    const bool stopped = progress_.step < steps_ && !enough;
    if (stopped) {
      save_last();
      say(fmt::format("stopped after step {}; {} is saved, --resume auto continues", progress_.step,
                      checkpoint_path(options_.output).string()));
    } else if (enough) {
      say(fmt::format("no better validation in {} of them: training ends early", config_.train.patience));
    }
    ranks_.enter(dist::Phase::end);
    ranks_.wait();
    return {progress_, last_loss_, seconds_since(start), stopped};
  }

  // All ranks call it; the leader's is the text.
  [[nodiscard]] std::string describe() {
    const auto* cpu = std::get_if<kernels::CpuStream>(&stream_);
    const std::string device = describe_device(stream_, config_.train.device.precision) +
                               (cpu == nullptr ? "" : fmt::format(", threads: {}", cpu->threads()));
    const std::string table = ranks_.table(device, exchange_ ? exchange_->route() : "");
    std::string text = table.empty() ? fmt::format("one process, on {}: {}\n", dist::host_name(), device)
                                     : fmt::format("{} ranks, started by {}; {}\n{}", ranks_.size(), dist::launch().by,
                                                   ranks_.communicator().library(), table);
    const int batch = config_.train.batch;
    const int least = batch / ranks_.size();
    const bool even = batch % ranks_.size() == 0;
    text += fmt::format("a step: {} images, {} a rank\n", batch,
                        even ? std::to_string(least) : fmt::format("{} or {}", least, least + 1));
    text += fmt::format("steps: {} an epoch, {} in all, {} done\n", loader_.steps_per_epoch(), steps_, progress_.step);
    if (exchange_) text += exchange_->describe();
    text += fmt::format("checkpoints: {}, every {} steps, the last {} kept; best.safetensors beside it\n",
                        checkpoint_path(options_.output).string(), config_.train.validate_every, config_.train.keep);
    return text + fmt::format("memory of a step{}, MiB:\n{}", ranks_.size() > 1 ? " on the first rank" : "",
                              memory_table(step_, optimizer_, network_.parameters()));
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
    if (resumed.progress.tiles != progress_.tiles)
      throw input_error("{}: was trained on other tiles than {} holds", path, shard_.path().string());
    const std::string notes = require_same_batches(parse_config(resumed.config, path), config_, path);
    if (!options_.quiet) fmt::print(stderr, "{}", notes);
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
    std::error_code absent;                                             // where nothing was written yet
    if (!std::filesystem::equivalent(options_.output, from, absent)) {  // the best weights so far stay where they are
      if (progress_.step >= steps_)
        throw usage_error("{}: all {} steps are done, so nothing would be written to {}; raise train.steps to go on",
                          path, steps_, options_.output.string());
      progress_.best_iou = -1;
      progress_.best_step = 0;
      progress_.validations_since_best = 0;
    }
  }

  void write_config() {
    AtomicFile file(options_.output / "config.toml");
    file.write(to_toml(config_));
    file.commit();
  }

  void say(const std::string& line) {
    if (log_) log_->line(line);
  }

  void write_row(const LogRow& row) {
    if (log_) log_->write(row);
  }

  void describe_run() {
    const data::ShardInfo& info = shard_.info();
    const std::string device = describe_device(stream_, config_.train.device.precision);
    const std::string table = ranks_.table(device, exchange_ ? exchange_->route() : "");
    if (!table.empty()) say(table);
    say(fmt::format("{}: {} training and {} validation tiles of {}x{}x{}; {} parameters; {}", shard_.path().string(),
                    shard_.tiles(data::Split::train).size(), shard_.tiles(data::Split::val).size(), info.height,
                    info.width, info.bands, network_.parameters().trainable_count(), device));
  }

  // Hands the loader's next batch on to the device.
  void put_batch() {
    ranks_.enter(dist::Phase::data);
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
    const double rate = learning_rate(config_.schedule, progress_.step, steps_, progress_.reductions);
    ranks_.enter(dist::Phase::compute);
    step_.start(optimizer_, rate);
    if (progress_.step + 1 < steps_) put_next_batch();  // beside the running step
    ranks_.enter(dist::Phase::compute);
    const double own_loss = step_.finish();
    const BatchPlace batch = put_.front();
    put_.pop_front();
    ranks_.enter(dist::Phase::exchange);
    const Ranks::Step all =
        ranks_.agree({own_loss, batch.images, StopSignal::requested(), std::isfinite(own_loss) && optimizer_.finite()});
    stop_ = all.stop;
    const StepOutcome outcome{all.loss, all.finite, rate};
    const bool counts = guard_.accept(outcome, progress_, [this] { return step_.not_finite(); });
    if (!counts) skip(outcome);
    ++progress_.step;
    progress_.epoch = batch.epoch;
    progress_.batch = batch.index + 1;
    if (progress_.batch == loader_.steps_per_epoch()) {
      ++progress_.epoch;
      progress_.batch = 0;
    }
    if (counts) interval_.add(last_loss_ = all.loss);
    interval_.images += all.images;
    ranks_.done(progress_.step);
    say_graph_refusal();
    if (!log_) return;
    log_->progress(row_so_far(), interval_.seconds_per_step());
  }

  // Nothing of such a step stays but that its batch is used up.
  void skip(const StepOutcome& step) {
    step_.undo_statistics();
    optimizer_.set_steps(optimizer_.steps() - 1);
    say(fmt::format("step {} is skipped: its {} not finite", progress_.step + 1,
                    std::isfinite(step.loss) ? "gradients are" : "loss is"));
  }

  void say_graph_refusal() {
    if (step_.graph_refusal().empty() || graph_refusal_said_) return;
    graph_refusal_said_ = true;
    say(fmt::format("steps are queued kernel by kernel, not replayed: {}", step_.graph_refusal()));
  }

  [[nodiscard]] LogRow row_so_far() const {
    LogRow row = interval_.row();
    row.step = progress_.step;
    row.epoch = progress_.epoch;
    return row;
  }

  LogRow take_row() {
    LogRow row = row_so_far();
    row.learning_rate = learning_rate(config_.schedule, progress_.step - 1, steps_, progress_.reductions);
    interval_ = Interval();
    return row;
  }

  // Ranks stop where they agreed to; one alone has nobody to ask.
  [[nodiscard]] bool to_stop() const { return stop_ || (ranks_.size() == 1 && StopSignal::requested()); }

  [[nodiscard]] bool patience_is_over() const {
    return config_.train.patience > 0 && progress_.validations_since_best >= config_.train.patience;
  }

  // Nothing but a row of the log where there is no validation split.
  void validate() {
    require_finite(network_);
    ranks_.enter(dist::Phase::validate);
    ranks_.require_same_weights(network_.parameters());
    LogRow row = take_row();
    if (averaged_) {
      optimizer_.average_into(averaged_->parameters());
      require_finite(*averaged_);
    }
    const auto tiles = shard_.tiles(data::Split::val);
    if (!tiles.empty()) {
      const Evaluation result =
          ranks_.together(evaluate(validator_, network_.graph(), shard_, share_of(tiles, ranks_.rank(), ranks_.size()),
                                   {.threshold = static_cast<float>(config_.train.threshold), .details = false}),
                          tiles.size());
      row.validation = validation_of(result);
      row.validation->best = note_validation(progress_, row.validation->iou, config_.schedule);
      if (row.validation->best && ranks_.leads())
        save_model(options_.output / "best.safetensors", validated(), progress_, to_toml(config_));
    }
    write_row(row);
    if (log_ && shows_tiles(progress_.step, steps_, config_.train.validate_every)) {
      log_->show(progress_.step,
                 draw_panels(validator_, network_.graph(), shard_, config_.train.pictures, config_.train.threshold));
    }
    interval_ = Interval();
  }

  [[nodiscard]] const Network& validated() const { return averaged_ ? *averaged_ : network_; }

  void save_last() {
    require_finite(network_);
    ranks_.enter(dist::Phase::save);
    const auto path = checkpoint_path(options_.output);
    const auto before = [&] { make_way(options_.output, config_.train.keep); };
    if (config_.train.sharded && ranks_.size() > 1) {
      const auto pieces = ranks_.collect(
          save_piece(options_.output, network_, optimizer_, progress_.step, ranks_.rank(), ranks_.size()));
      if (ranks_.leads()) save_index(path, pieces, network_, optimizer_, progress_, to_toml(config_), before);
    } else if (ranks_.leads()) {
      save_training(path, network_, optimizer_, progress_, to_toml(config_), before);
    }
    if (ranks_.leads()) remove_stray_pieces(options_.output);
    guard_.saved(progress_.step);
  }

  // A loss can be finite while the update that followed was not: such weights must not replace good ones.
  void require_finite(const Network& network) const {
    if (network.parameters().finite()) return;
    throw input_error("the weights are no longer finite after step {}; try a smaller optimizer.lr; {}", progress_.step,
                      guard_.last_good());
  }

  const TrainOptions& options_;
  Config config_;
  Ranks ranks_;
  data::Shard shard_;
  kernels::Stream stream_;
  Network network_;
  nn::Optimizer optimizer_;
  std::optional<GradientExchange> exchange_;  // where there are other ranks
  TrainingStep step_;
  std::optional<Network> averaged_;  // what is validated and kept as the best, where weights are averaged
  Predictor validator_;
  StepGuard guard_;
  data::Loader loader_;
  Progress progress_;
  std::int64_t steps_ = 0;
  std::optional<TrainLog> log_;  // the leader's
  std::deque<BatchPlace> put_;
  Interval interval_;
  double last_loss_ = 0;
  bool graph_refusal_said_ = false;
  bool stop_ = false;
};

}  // namespace

TrainOutcome train(const TrainOptions& options) {
  const StopSignal signals;         // while data are opened too
  std::optional<RunFolder> folder;  // the leader's
  if (options.communicator == nullptr || options.communicator->rank() == 0) {
    folder.emplace(options.output);
    if (options.communicator != nullptr) dist::forget_earlier_launches(*options.communicator, options.output / "ranks");
  }
  Trainer trainer(options);
  const bool has_work = trainer.has_work();
  if (folder && has_work) folder->begin(options.resume);
  TrainOutcome outcome = trainer.run();
  if (folder && (has_work || !confirm_finished(options.output))) write_run_record(options.output, outcome);
  return outcome;
}

std::string describe_training(const TrainOptions& options) {
  Trainer trainer(options);
  return trainer.describe();
}

std::string describe_memory(const Config& config) {
  const data::Shard shard = open_shard(config);
  Network network = network_for(config, shard);
  TrainingStep step(network, config, shard.info().height, shard.info().width);
  return memory_table(step, nn::Optimizer(config.optimizer, network.parameters()), network.parameters());
}

}  // namespace plume::unet

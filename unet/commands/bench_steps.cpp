// The training loop without its checkpoints and validations, and a clock around each step.
#include "unet/commands/bench_steps.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "data/loading/loader.hpp"
#include "data/loading/random_batch.hpp"
#include "data/shards/shard.hpp"
#include "dist/collectives.hpp"
#include "dist/launcher.hpp"
#include "kernels/base/error.hpp"
#include "nn/optimizer.hpp"
#include "unet/commands/steps_report.hpp"
#include "unet/config.hpp"
#include "unet/evaluate.hpp"
#include "unet/gradient_exchange.hpp"
#include "unet/ranks.hpp"
#include "unet/training_step.hpp"

namespace plume::unet {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr double images_to_report = 1e6;  // whose training takes time_to_report_s
constexpr double learning_rate = 1e-3;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// This rank's batches: noise of its own, the same in every step, or the next ones of a shard.
class Feed {
 public:
  Feed(const Config& config, const BenchStepsSettings& how, const Graph& graph, const Ranks& ranks) {
    const int batch = config.train.batch;
    if (!how.shard.empty()) {
      shard_.emplace(how.shard);
      require_fit(graph, *shard_);
      data::Sampling sampling{.batch = batch, .crop = config.train.crop, .seed = 1};
      sampling.rank = ranks.rank();
      sampling.world = ranks.size();
      loader_.emplace(*shard_, sampling, shard_->info().mean, shard_->info().std, 1, 2);
      return;
    }
    const int share = batch * (ranks.rank() + 1) / ranks.size() - batch * ranks.rank() / ranks.size();
    noise_ =
        data::random_batch(share, config.train.crop, graph.input.bands, 1 + static_cast<std::uint64_t>(ranks.rank()));
    noise_.total = batch;
  }

  struct Put {
    int images = 0;
    double waited = 0;  // seconds until the batch was there
  };
  Put put(TrainingStep& step) {
    if (!loader_) {
      step.put(noise_);
      return {noise_.images, 0};
    }
    const auto start = Clock::now();
    data::Batch batch = loader_->next();
    const Put put{batch.images, seconds_since(start)};
    step.put(batch);
    loader_->recycle(std::move(batch));
    return put;
  }

 private:
  data::Batch noise_;
  std::optional<data::Shard> shard_;
  std::optional<data::Loader> loader_;
};

Config config_of(const BenchSettings& settings, const BenchStepsSettings& how, const Ranks& ranks) {
  Config config;
  config.train.batch = how.global_batch > 0 ? how.global_batch : settings.batch * ranks.size();
  config.train.crop = settings.size;
  config.train.device = settings.device;
  if (config.train.batch < ranks.size())
    throw usage_error("--global-batch {} does not go round {} ranks", config.train.batch, ranks.size());
  return config;
}

using Place = std::vector<MeasuredStep>::const_iterator;

double mean_loss(Place first, Place last) {
  const double sum = std::accumulate(first, last, 0.0, [](double all, const auto& step) { return all + step.loss; });
  return sum / static_cast<double>(last - first);
}

class Bench {
 public:
  Bench(const BenchSettings& settings, const BenchStepsSettings& how, dist::Communicator* communicator)
      : how_(how),
        ranks_(communicator),
        config_(config_of(settings, how, ranks_)),
        stream_(bench_stream(settings, ranks_.gpu(settings.device))),
        network_(bench_network(settings, stream_)),
        optimizer_(config_.optimizer, network_.parameters()),
        feed_(config_, how, network_.graph(), ranks_),
        device_(describe_device(stream_, settings.device.precision)) {}

  int run() {
    const std::vector<MeasuredStep> steps = run_steps(how_.comm, [&](std::size_t number, const MeasuredStep& step) {
      if (!ranks_.leads() || how_.json) return;
      fmt::print("step={} {}", number, line_of(to_json(step)));
      static_cast<void>(std::fflush(stdout));
    });
    const std::string flaw = find_flaw(steps);
    const double waited = largest_wait(steps);
    Json report = report_of({steps.begin() + warm_up, steps.end()}, waited);
    report["loss_first"] = steps.front().loss;
    report["loss_last"] = steps.back().loss;
    report["time_to_report_s"] = images_to_report / report["img_per_s"].get<double>();
    report["verified"] = !flaw.empty() ? "FAIL" : parted() ? "NONE" : "PASS";
    if (ranks_.leads()) print(report, steps);
    if (!flaw.empty()) throw environment_error("these figures do not count: {}", flaw);
    return 0;
  }

 private:
  // The warm-up's too, of which nobody is told.
  template <class Tell>
  std::vector<MeasuredStep> run_steps(dist::Timing timing, const Tell& tell) {
    config_.dist.timing = timing;
    std::optional<GradientExchange> exchange;
    if (ranks_.size() > 1) exchange.emplace(ranks_.communicator(), config_.dist, network_.parameters(), stream_);
    TrainingStep step(network_, config_, config_.train.crop, config_.train.crop, exchange ? &*exchange : nullptr);
    std::vector<MeasuredStep> steps;
    Feed::Put next = feed_.put(step);
    ranks_.wait();
    for (int i = -warm_up; i < how_.steps; ++i) {
      const auto start = Clock::now();
      ranks_.enter(dist::Phase::compute);
      step.start(optimizer_, learning_rate);
      ranks_.enter(dist::Phase::data);
      const Feed::Put current = std::exchange(next, feed_.put(step));  // beside the running step
      ranks_.enter(dist::Phase::compute);
      const double own_loss = step.finish();
      ranks_.enter(dist::Phase::exchange);
      const Ranks::Step all = ranks_.agree({own_loss, current.images, false});
      steps.push_back({all.loss, all.images, seconds_since(start), next.waited});
      ranks_.done(std::ssize(steps));
      if (i >= 0) tell(static_cast<std::size_t>(i) + 1, steps.back());
    }
    return steps;
  }

  // Whether each rank's weights went their own way.
  [[nodiscard]] bool parted() const { return ranks_.size() > 1 && how_.comm == dist::Timing::none; }

  // Why the steps were no training; empty: they were.
  [[nodiscard]] std::string find_flaw(const std::vector<MeasuredStep>& steps) const {
    if (!std::all_of(steps.begin(), steps.end(), [](const auto& step) { return std::isfinite(step.loss); }))
      return "a loss is not finite";
    const auto third = std::ssize(steps) / 3;  // one batch of a shard is harder than another
    const double first = mean_loss(steps.begin(), steps.begin() + third);
    const double last = mean_loss(steps.end() - third, steps.end());
    if (last >= first)
      return fmt::format("the loss did not fall, from {:.6g} to {:.6g}; take more --steps", first, last);
    if (parted() || ranks_.with_other_weights(network_.parameters()).empty()) return {};
    return "the ranks' weights have parted; `plume doctor` on each tells how they differ";
  }

  // Of all ranks in the steps that count.
  [[nodiscard]] double largest_wait(const std::vector<MeasuredStep>& steps) const {
    double waited = 0;
    for (auto step = steps.begin() + warm_up; step != steps.end(); ++step) waited += step->waited;
    const auto all = dist::gathered(ranks_.communicator(), waited);
    return *std::max_element(all.begin(), all.end());
  }

  [[nodiscard]] std::size_t count_nodes() const {
    std::array<char, 64> own{};
    std::strncpy(own.data(), dist::host_name().c_str(), own.size() - 1);
    const auto hosts = dist::gathered(ranks_.communicator(), own);
    return std::set(hosts.begin(), hosts.end()).size();
  }

  // Of the steps that count. Ranks run more steps for it.
  Json report_of(const std::vector<MeasuredStep>& steps, double waited) {
    const double rate = images_per_second(steps);
    const double rate_of_each = rate / ranks_.size();
    const double step = median_seconds(steps);
    const auto named = [&](const auto& pair) { return pair.second == how_.comm; };
    Json report{{"job", job_name()},
                {"system", system_name()},
                {"nodes", count_nodes()},
                {"ranks", ranks_.size()},
                {"device", device_},
                {"global_batch", config_.train.batch},
                {"steps", steps.size()},
                {"comm", std::find_if(timing_names.begin(), timing_names.end(), named)->first},
                {"step_s", step},
                {"img_per_s", rate},
                {"img_per_s_per_rank", rate_of_each},
                {"efficiency", how_.baseline > 0 ? Json(rate_of_each / how_.baseline) : Json()},
                {"exposed_comm", nullptr},
                {"data_wait_s", waited}};
    if (ranks_.size() > 1 && !parted()) {
      auto alone = run_steps(dist::Timing::none, [](std::size_t, const MeasuredStep&) {});
      alone.erase(alone.begin(), alone.begin() + warm_up);
      report["exposed_comm"] = 1 - median_seconds(alone) / step;
    }
    return report;
  }

  void print(Json report, const std::vector<MeasuredStep>& steps) const {
    if (!how_.json) {
      fmt::print("{}", lines_of(report));
      return;
    }
    for (auto step = steps.begin() + warm_up; step != steps.end(); ++step) report["each"].push_back(to_json(*step));
    fmt::print("{}\n", report.dump());
  }

  const BenchStepsSettings& how_;
  Ranks ranks_;
  Config config_;
  kernels::Stream stream_;
  Network network_;
  nn::Optimizer optimizer_;
  Feed feed_;
  std::string device_;
};

}  // namespace

int bench_steps(const BenchSettings& settings, const BenchStepsSettings& how, dist::Communicator* communicator) {
  BenchSettings own = settings;
  if (!how.shard.empty() && own.model.empty()) own.network.bands = data::Shard(how.shard).info().bands;
  return Bench(own, how, communicator).run();
}

}  // namespace plume::unet

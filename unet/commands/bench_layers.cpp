// plume bench layers
#include "unet/commands/bench_layers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/base/error.hpp"
#include "kernels/cpu/peak.hpp"
#include "kernels/profile.hpp"
#include "unet/commands/median.hpp"

namespace plume::unet {
namespace {

constexpr double lightest_shown = 0.005;  // share of the whole

// One layer in one direction, or several of them together.
struct Row {
  std::string layer;
  std::string_view pass;
  std::string_view algorithm;
  double milliseconds = 0;  // the median
  double gflop = 0;
  std::vector<double> repeats;  // milliseconds of each

  Row(std::string layer_, std::string_view pass_, std::string_view algorithm_ = {})
      : layer(std::move(layer_)), pass(pass_), algorithm(algorithm_) {}
  void add(const Row& other) {
    milliseconds += other.milliseconds;
    gflop += other.gflop;
  }
};

// What rates and shares are taken of.
struct Scale {
  double milliseconds;  // of all rows
  double peak;          // GF/s
};

// Layers that appear twice in a step are one row.
void add_step(std::vector<Row>& rows, const std::vector<kernels::Profile::Entry>& entries, std::size_t repeat) {
  for (const kernels::Profile::Entry& entry : entries) {
    auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& candidate) {
      return candidate.layer == entry.layer && candidate.pass == entry.pass;
    });
    if (row == rows.end()) row = rows.insert(rows.end(), Row(entry.layer, entry.pass, entry.algorithm));
    row->repeats.resize(repeat + 1);
    row->repeats[repeat] += 1e3 * entry.seconds;
    if (repeat == 0) row->gflop += 1e-9 * entry.flops;
  }
}

std::vector<Row> measure_rows(BenchWork& work, int repeats) {
  kernels::Profile profile;
  std::get<kernels::CpuStream>(work.stream()).keep(&profile);
  std::vector<Row> rows;
  for (int i = -warm_up; i < repeats; ++i) {
    profile.clear();
    {
      const kernels::ProfileRange rest(work.stream(), "step", "rest");
      work.run();
    }
    if (i >= 0) add_step(rows, profile.entries(), static_cast<std::size_t>(i));
  }
  std::get<kernels::CpuStream>(work.stream()).keep(nullptr);
  for (Row& row : rows) row.milliseconds = median(row.repeats);
  return rows;
}

double median_step(const std::vector<Row>& rows) {
  std::vector<double> wholes(rows.front().repeats.size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < wholes.size(); ++i) wholes[i] += row.repeats[i];
  }
  return median(wholes);
}

// Sums over all layers, in the order in which passes appear.
std::vector<Row> totals_by_pass(const std::vector<Row>& rows) {
  std::vector<Row> totals;
  for (const Row& row : rows) {
    auto total = std::find_if(totals.begin(), totals.end(), [&](const Row& other) { return other.pass == row.pass; });
    if (total == totals.end()) total = totals.insert(totals.end(), Row("all", row.pass));
    total->add(row);
  }
  return totals;
}

double rate_of(const Row& row) {
  return 1e3 * row.gflop / row.milliseconds;
}

nlohmann::ordered_json to_json(const Row& row, const Scale& scale) {
  nlohmann::ordered_json object{{"layer", row.layer},
                                {"pass", row.pass},
                                {"milliseconds", row.milliseconds},
                                {"share", row.milliseconds / scale.milliseconds}};
  if (row.gflop > 0) {
    object["gflop"] = row.gflop;
    object["gflop_per_second"] = rate_of(row);
    object["of_peak"] = rate_of(row) / scale.peak;
    object["algorithm"] = row.algorithm;
  }
  return object;
}

class Table {
 public:
  Table(const std::vector<Row>& rows, const Scale& scale) : scale_(scale) {
    for (const Row& row : rows) width_ = std::clamp(row.layer.size(), width_, widest);
  }

  void head() const {
    fmt::print("{:{}}  {:15}  {:>9}  {:>7}  {:>9}  {:>8}  {:>7}  {}\n", "layer", width_, "pass", "ms", "share", "GFLOP",
               "GF/s", "of peak", "algorithm");
  }
  void line(const Row& row) const {
    fmt::print("{:{}.{}}  {:15}  {:9.3f}  {:5.1f} %", row.layer, width_, width_, row.pass, row.milliseconds,
               100 * row.milliseconds / scale_.milliseconds);
    if (row.gflop > 0) {
      fmt::print("  {:9.3f}  {:8.1f}  {:5.0f} %", row.gflop, rate_of(row), 100 * rate_of(row) / scale_.peak);
    }
    fmt::print("{}{}\n", row.algorithm.empty() ? "" : "  ", row.algorithm);
  }

 private:
  static constexpr std::size_t widest = 40;
  std::size_t width_ = 20;
  Scale scale_;
};

void print_table(std::vector<Row> rows, const Scale& scale) {
  const Table table(rows, scale);
  const std::vector<Row> totals = totals_by_pass(rows);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.milliseconds > b.milliseconds; });
  const auto light = std::find_if(
      rows.begin(), rows.end(), [&](const Row& row) { return row.milliseconds < lightest_shown * scale.milliseconds; });
  table.head();
  std::for_each(rows.begin(), light, [&](const Row& row) { table.line(row); });
  if (light != rows.end()) {
    Row lighter(fmt::format("{} lighter ones", rows.end() - light), "");
    std::for_each(light, rows.end(), [&](const Row& row) { lighter.add(row); });
    table.line(lighter);
  }
  fmt::print("\n");
  Row whole("whole", "");
  for (const Row& total : totals) {
    table.line(total);
    whole.add(total);
  }
  table.line(whole);
}

}  // namespace

int bench_layers(BenchSettings settings, bool json) {
  if (settings.device.kind == DeviceKind::cuda) {
    throw usage_error("bench layers is for the CPU; on CUDA, nsys shows each layer by name in its timeline");
  }
  settings.device.kind = DeviceKind::cpu;
  BenchWork work(settings);
  auto& stream = std::get<kernels::CpuStream>(work.stream());
  const int threads = stream.threads();
  const double peak = 1e-9 * kernels::measure_peak(stream);
  const std::vector<Row> rows = measure_rows(work, settings.repeats);
  const double all =
      std::accumulate(rows.begin(), rows.end(), 0.0, [](double sum, const Row& row) { return sum + row.milliseconds; });
  const Scale scale{all, peak};
  const std::string device = describe_device(work.stream(), settings.device.precision);
  if (!json) {
    fmt::print("{}: {:.1f} ms; {}\n", describe(settings), median_step(rows), device);
    fmt::print("Medians of {} steps; the peak is that of f32 multiply-adds on {} thread{}, {:.0f} GF/s.\n",
               settings.repeats, threads, threads == 1 ? "" : "s", peak);
    fmt::print("Operations are the direct algorithm's, so that Winograd's and int8's may pass the peak.\n\n");
    print_table(rows, scale);
    return 0;
  }
  nlohmann::ordered_json report{{"work", settings.kind == BenchSettings::Kind::train ? "train" : "infer"},
                                {"size", settings.size},
                                {"batch", settings.batch},
                                {"device", device},
                                {"threads", threads},
                                {"repeats", settings.repeats},
                                {"milliseconds", median_step(rows)},
                                {"peak_gflop_per_second", peak}};
  for (const Row& row : rows) report["rows"].push_back(to_json(row, scale));
  for (const nn::ParameterInfo& info : work.network().parameters().all()) {
    if (info.kind != nn::ParameterKind::statistic)
      report["parameters"].push_back({{"name", info.name}, {"offset", info.offset}, {"elements", info.shape.count()}});
  }
  fmt::print("{}\n", report.dump());
  return 0;
}

}  // namespace plume::unet

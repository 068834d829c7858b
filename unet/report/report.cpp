// From folders to the page's data, and into its template.
#include "unet/report/report.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <tuple>

#include "kernels/base/base64.hpp"
#include "kernels/base/error.hpp"
#include "unet/evaluate.hpp"
#include "unet/inference/fold_norms.hpp"
#include "unet/inference/model_file.hpp"
#include "unet/report/resources.hpp"
#include "unet/report/run_history.hpp"
#include "unet/report/tile_pictures.hpp"
#include "unet/train.hpp"
#include "unet/version.hpp"

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t curve_points = 1000;
constexpr const char* results_head[]{"validation IoU",    "at step",           "steps",    "last loss",
                                     "mean IoU of tiles", "average precision", "ROC area", "ECE",
                                     "best threshold",    "images/s",          "time"};

std::string picture(std::span<const std::byte> png) {
  return "data:image/png;base64," + base64(png);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Every so many points of a curve that has one for each probability.
Json curve_of(const Scores& scores) {
  const std::vector<CurvePoint> points = scores.curve();
  const double positives = static_cast<double>(scores.positives());
  const std::size_t stride = points.size() / curve_points + 1;
  Json curve{{"threshold", Json::array()},
             {"precision", Json::array()},
             {"recall", Json::array()},
             {"false_positive_rate", Json::array()},
             {"iou", Json::array()}};
  const auto add = [&](const CurvePoint& point) {
    const double hits = point.recall * positives;
    const double found = point.precision > 0 ? hits / point.precision : 0;
    const double all = found + positives - hits;
    curve["threshold"].push_back(point.threshold);
    curve["precision"].push_back(point.precision);
    curve["recall"].push_back(point.recall);
    curve["false_positive_rate"].push_back(point.false_positive_rate);
    curve["iou"].push_back(all > 0 ? hits / all : 0);
  };
  for (std::size_t i = 0; i < points.size(); i += stride) add(points[i]);
  if (!points.empty() && (points.size() - 1) % stride != 0) add(points.back());
  return curve;
}

Json reliability_of(const Scores& scores) {
  Json bins{{"probability", Json::array()}, {"share", Json::array()}};
  for (const Scores::Bin& bin : scores.reliability()) {
    if (bin.count == 0) continue;
    bins["probability"].push_back(bin.probability);
    bins["share"].push_back(bin.share);
  }
  return bins;
}

// Of a tile's classes that are not background.
double iou_of(const std::vector<Confusion>& counts) {
  return foreground_iou(counts);
}

bool concerns_smoke(const std::vector<Confusion>& counts) {
  const std::size_t first = counts.size() == 1 ? 0 : 1;
  return std::any_of(counts.begin() + static_cast<std::ptrdiff_t>(first), counts.end(),
                     [](const Confusion& c) { return c.true_positive + c.false_positive + c.false_negative > 0; });
}

// A run's best model, looked at on a split of its shard.
class BestModel {
 public:
  BestModel(const RunHistory& run, const ReportOptions& options)
      : split_(data::split_from_name(options.split)),
        threshold_(static_cast<float>(run.config.train.threshold)),
        shard_(run.config.data.shard),
        stream_(make_stream(options.device, options.threads)),
        network_(
            fold_norms(load_model(run.folder / "best.safetensors", element_type(options.device.precision), &stream_))),
        predictor_(network_),
        evaluation_(evaluate(predictor_, network_.graph(), shard_, split_, {.threshold = threshold_})) {}

  [[nodiscard]] const Evaluation& evaluation() const { return evaluation_; }

  [[nodiscard]] Json curves() const {
    const Scores& scores = evaluation_.foreground;
    return {{"split", data::name_of(split_)}, {"curve", curve_of(scores)}, {"reliability", reliability_of(scores)}};
  }

  // The worst, then the best, of the tiles that have smoke or were said to.
  [[nodiscard]] std::pair<Json, Json> extremes(int count) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < evaluation_.images.size(); ++i)
      if (concerns_smoke(evaluation_.images[i])) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return iou_of(evaluation_.images[a]) < iou_of(evaluation_.images[b]);
    });
    const auto half = std::min(static_cast<std::size_t>(count), order.size() / 2 + order.size() % 2);
    const auto worst = drawn(std::span(order).first(half));
    std::reverse(order.begin(), order.end());
    return {worst, drawn(std::span(order).first(std::min(half, order.size() - half)))};
  }

 private:
  Json drawn(std::span<const std::size_t> which) {
    std::vector<int> tiles;
    for (const std::size_t i : which) tiles.push_back(shard_.tiles(split_)[i]);
    Json result = Json::array();
    auto index = which.begin();
    for (const TilePictures& tile : draw_tiles(predictor_, network_.graph(), shard_, tiles, threshold_)) {
      result.push_back({{"name", tile.name},
                        {"iou", iou_of(evaluation_.images[*index++])},
                        {"scene", picture(tile.scene)},
                        {"truth", picture(tile.truth)},
                        {"found", picture(tile.found)}});
    }
    return result;
  }

  data::Split split_;
  float threshold_;
  data::Shard shard_;
  kernels::Stream stream_;
  Network network_;
  Predictor predictor_;
  Evaluation evaluation_;
};

std::string name_of(const std::filesystem::path& folder) {
  const auto path = folder.has_filename() ? folder : folder.parent_path();
  return path.string();
}

std::string number(double value, int digits = 4) {
  return fmt::format("{:.{}g}", value, digits);
}

Json results_of(const RunHistory& run, const Evaluation* evaluation) {
  Json cells;
  const auto& iou = run.validation.contains("iou") ? run.validation.at("iou") : std::vector<double>();
  const auto best = std::max_element(iou.begin(), iou.end());
  cells.push_back(iou.empty() ? "-" : number(*best));
  cells.push_back(iou.empty() ? "-"
                              : number(run.validation.at("step")[static_cast<std::size_t>(best - iou.begin())], 9));
  const bool empty = run.log.empty();
  cells.push_back(empty ? "-" : number(run.log.at("step").back(), 9));
  cells.push_back(empty ? "-" : number(run.log.at("loss").back()));
  if (evaluation == nullptr) {
    for (int i = 0; i < 5; ++i) cells.push_back("-");
  } else {
    const Scores& scores = evaluation->foreground;
    double sum = 0;
    for (const auto& image : evaluation->images) sum += iou_of(image);
    cells.push_back(number(sum / evaluation->tiles()));
    cells.push_back(number(scores.average_precision()));
    cells.push_back(number(scores.roc_area()));
    cells.push_back(number(scores.calibration_error()));
    const Scores::Best threshold = scores.best_iou();
    cells.push_back(fmt::format("{:.3f} (IoU {})", threshold.threshold, number(threshold.iou)));
  }
  cells.push_back(empty ? "-" : number(median(run.log.at("images_per_second"))));
  cells.push_back(run.record.contains("seconds") ? fmt::format("{:.0f} s", run.record["seconds"].get<double>()) : "-");
  return cells;
}

// What an error costs is a part of the page.
template <class Make>
bool or_note(std::vector<std::string>& notes, const RunHistory& run, const Make& make) {
  try {
    make();
    return true;
  } catch (const Error& error) {
    notes.push_back(fmt::format("{}: {}", run.folder.string(), error.what()));
    return false;
  }
}

Json run_json(const RunHistory& run, const ReportOptions& options, std::vector<std::string>& notes) {
  Json json{{"name", name_of(run.folder)},
            {"log", thinned(run.log, curve_points)},
            {"validation", thinned(run.validation, curve_points)}};
  for (const char* part : {"log", "validation"})
    if (!json[part].contains("step")) json[part]["step"] = Json::array();
  std::optional<BestModel> best;
  or_note(notes, run, [&] {
    if (!std::filesystem::exists(run.folder / "best.safetensors"))
      throw input_error("no best.safetensors, as a training without validations has none, so no tile is shown");
    best.emplace(run, options);
    json["evaluation"] = best->curves();
    std::tie(json["worst"], json["best"]) = best->extremes(options.tiles);
  });
  json["results"] = results_of(run, best ? &best->evaluation() : nullptr);
  json["record"] = Json::array();
  const auto record = [&](const char* title, const std::string& text) {
    json["record"].push_back(Json::array({title, text}));
  };
  record("Configuration", run.config_text);
  for (const Json& start : run.starts) record("Start", start.dump(2));
  if (!run.record.is_null()) record("End", run.record.dump(2));
  or_note(notes, run, [&] { record("Memory of a step, MiB", describe_memory(run.config)); });
  return json;
}

// Every key of a configuration with its value, as in TOML.
std::map<std::string, std::string> values_of(const Config& config) {
  std::map<std::string, std::string> values;
  const toml::table all = toml::parse(to_toml(config));
  for (const auto& [group, keys] : all) {
    for (const auto& [key, value] : *keys.as_table()) {
      std::ostringstream text;
      text << toml::node_view(value);
      values[fmt::format("{}.{}", group.str(), key.str())] = text.str();
    }
  }
  return values;
}

// Keys whose values are not the same in all runs, with the value of each.
Json differing(const std::vector<RunHistory>& runs) {
  std::vector<std::map<std::string, std::string>> values;
  for (const RunHistory& run : runs) values.push_back(values_of(run.config));
  Json rows = Json::array();
  for (const auto& [key, first] : values.front()) {
    Json row = Json::array({key});
    for (const auto& of_run : values) row.push_back(of_run.at(key));
    if (std::any_of(row.begin() + 2, row.end(), [&](const Json& cell) { return cell != row[1]; })) rows.push_back(row);
  }
  return rows;
}

}  // namespace

Report make_report(const ReportOptions& options) {
  std::vector<RunHistory> runs;
  for (const auto& folder : options.runs) runs.push_back(read_run(folder));
  Report report;
  Json page{{"version", version},
            {"made", fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)))},
            {"footer",
             "Probabilities are those of a model that learned from the labels beside it; where these are a teacher's, "
             "so is what is "
             "called right and wrong here."},
            {"results_head", results_head},
            {"differing", differing(runs)},
            {"runs", Json::array()}};
  for (const RunHistory& run : runs) page["runs"].push_back(run_json(run, options, report.notes));
  std::string data = page.dump();
  // Nothing in it may end the script that it stands in.
  for (std::size_t at = 0; (at = data.find("</", at)) != std::string::npos; at += 3) data.replace(at, 2, "<\\/");
  report.html = report_html;
  const std::string_view mark = "@DATA@";
  report.html.replace(report.html.find(mark), mark.size(), data);
  return report;
}

}  // namespace plume::unet

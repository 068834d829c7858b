// Tables and JSON of an evaluation.
#include "unet/evaluation_report.hpp"

#include <fmt/core.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace plume::unet {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, Ratio>, 5> ratios{{{"iou", &Confusion::iou},
                                                               {"dice", &Confusion::dice},
                                                               {"precision", &Confusion::precision},
                                                               {"recall", &Confusion::recall},
                                                               {"accuracy", &Confusion::accuracy}}};

constexpr int sweep_steps = 100;

Json ratios_of(const Confusion& counts) {
  Json json;
  for (const auto& [name, ratio] : ratios) json[name] = (counts.*ratio)();
  return json;
}

Json with_counts(const Confusion& counts) {
  Json json = ratios_of(counts);
  json["true_positive"] = counts.true_positive;
  json["false_positive"] = counts.false_positive;
  json["false_negative"] = counts.false_negative;
  json["true_negative"] = counts.true_negative;
  return json;
}

Json over_images(const Evaluation& evaluation, std::size_t of_class, bool with_class) {
  Json json;
  for (const auto& [name, ratio] : ratios) json[name] = mean_over_images(evaluation, of_class, ratio, with_class);
  return json;
}

Json areas_of(const Scores& scores) {
  const Scores::Best best = scores.best_iou();
  return {
      {"pr_area", scores.average_precision()},           {"roc_area", scores.roc_area()},    {"brier", scores.brier()},
      {"calibration_error", scores.calibration_error()}, {"best_threshold", best.threshold}, {"best_iou", best.iou}};
}

// Both curves and the sweep, at thresholds that are the same for every model.
Json sweep_of(const Scores& scores) {
  Json sweep = Json::array();
  for (int step = 0; step <= sweep_steps; ++step) {
    const double threshold = static_cast<double>(step) / sweep_steps;
    const Confusion counts = scores.above(threshold);
    Json row{{"threshold", threshold}};
    row.update(ratios_of(counts));
    row["false_positive_rate"] = counts.false_positive_rate();
    sweep.push_back(std::move(row));
  }
  return sweep;
}

Json reliability_of(const Scores& scores) {
  Json bins = Json::array();
  for (const Scores::Bin& bin : scores.reliability())
    bins.push_back({{"count", bin.count}, {"probability", bin.probability}, {"share", bin.share}});
  return bins;
}

Json boundary_of(const BoundaryCounts& counts) {
  return {{"f1", counts.f1()}, {"precision", counts.precision()}, {"recall", counts.recall()}};
}

Json matrix_of(const ConfusionMatrix& matrix) {
  Json rows = Json::array();
  for (int truth = 0; truth < matrix.size(); ++truth) {
    Json row = Json::array();
    for (int found = 0; found < matrix.size(); ++found) row.push_back(matrix.at(truth, found));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string name_of_class(std::size_t c, std::size_t classes) {
  return classes == 1 ? "smoke" : std::to_string(c);
}

std::string row_of(const std::string& name, const Confusion& counts) {
  std::string row = fmt::format("{:>16}", name);
  for (const auto& [unused, ratio] : ratios) row += fmt::format(" {:>9.4f}", (counts.*ratio)());
  return row + "\n";
}

std::string image_row(const std::string& name, const Evaluation& evaluation, std::size_t c, bool with_class) {
  std::string row = fmt::format("{:>16}", name);
  for (const auto& [unused, ratio] : ratios)
    row += fmt::format(" {:>9.4f}", mean_over_images(evaluation, c, ratio, with_class));
  return row + "\n";
}

std::string matrix_text(const ConfusionMatrix& matrix) {
  std::string text = fmt::format("\n{:>16}", "truth \\ found");
  for (int found = 0; found < matrix.size(); ++found) text += fmt::format(" {:>12}", found);
  for (int truth = 0; truth < matrix.size(); ++truth) {
    text += fmt::format("\n{:>16}", truth);
    for (int found = 0; found < matrix.size(); ++found) text += fmt::format(" {:>12}", matrix.at(truth, found));
  }
  return text + "\n";
}

}  // namespace

Json to_json(const Evaluation& evaluation) {
  const std::vector<Confusion> counts = evaluation.counts();
  const Evaluation::Details& details = *evaluation.details;
  Json json{{"iou", foreground_iou(counts)}};
  for (std::size_t c = 0; c < counts.size(); ++c) {
    Json entry{{"label", counts.size() == 1 ? std::size_t{1} : c}};
    entry.update(with_counts(counts[c]));
    entry["images_with_class"] = images_with_class(evaluation, c);
    entry["mean_over_images"] = over_images(evaluation, c, false);
    entry["mean_over_images_with_class"] = over_images(evaluation, c, true);
    entry.update(areas_of(details.scores[c]));
    entry["boundary"] = boundary_of(details.boundaries[c]);
    entry["reliability"] = reliability_of(details.scores[c]);
    entry["sweep"] = sweep_of(details.scores[c]);
    json["classes"].push_back(std::move(entry));
  }
  if (counts.size() > 1) {
    json["foreground"] = areas_of(evaluation.foreground);
    json["foreground"]["sweep"] = sweep_of(evaluation.foreground);
    for (int level = 1; level < details.matrix.size(); ++level) {
      Json entry{{"label", level}};
      entry.update(with_counts(details.matrix.at_least(level)));
      json["at_least"].push_back(std::move(entry));
    }
  }
  json["confusion_matrix"] = matrix_of(details.matrix);
  return json;
}

std::string to_text(const Evaluation& evaluation) {
  const std::vector<Confusion> counts = evaluation.counts();
  const Evaluation::Details& details = *evaluation.details;
  const std::size_t classes = counts.size();
  std::string text = fmt::format("{:>16} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "over all pixels", "IoU", "Dice",
                                 "precision", "recall", "accuracy");
  for (std::size_t c = 0; c < classes; ++c) text += row_of(name_of_class(c, classes), counts[c]);
  if (classes > 1) {
    for (int level = 1; level < details.matrix.size(); ++level)
      text += row_of(fmt::format("{} and above", level), details.matrix.at_least(level));
  }
  text += "means over images\n";
  for (std::size_t c = 0; c < classes; ++c) {
    text += image_row(name_of_class(c, classes), evaluation, c, false);
    text += image_row(fmt::format("{} that hold it", images_with_class(evaluation, c)), evaluation, c, true);
  }
  text += fmt::format("\n{:>16} {:>9} {:>9} {:>9} {:>9} {:>14} {:>9} {:>11}\n", "over thresholds", "PR area",
                      "ROC area", "Brier", "ECE", "best threshold", "its IoU", "boundary F1");
  for (std::size_t c = 0; c < classes; ++c) {
    const Scores& scores = details.scores[c];
    const Scores::Best best = scores.best_iou();
    text += fmt::format("{:>16} {:>9.4f} {:>9.4f} {:>9.4f} {:>9.4f} {:>14.4f} {:>9.4f} {:>11.4f}\n",
                        name_of_class(c, classes), scores.average_precision(), scores.roc_area(), scores.brier(),
                        scores.calibration_error(), best.threshold, best.iou, details.boundaries[c].f1());
  }
  return text + matrix_text(details.matrix);
}

}  // namespace plume::unet

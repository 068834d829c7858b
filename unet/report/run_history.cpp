// config.toml, run.json and log.jsonl, read.
#include "unet/report/run_history.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> log_columns{"step", "loss", "learning_rate", "images_per_second",
                                                      "data_wait"};
constexpr std::array<std::string_view, 4> validation_columns{"iou", "dice", "precision", "recall"};

std::optional<std::string> text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string required_text(const fs::path& path) {
  auto text = text_of(path);
  if (!text) throw input_error("{}: cannot be read; a run's folder, as plume train writes it, has it", path.string());
  return std::move(*text);
}

void add_row(RunHistory& run, const nlohmann::ordered_json& row) {
  for (const std::string_view name : log_columns) run.log[std::string(name)].push_back(row.at(name).get<double>());
  if (!row.contains("val_iou")) return;
  run.validation["step"].push_back(row.at("step").get<double>());
  for (const std::string_view name : validation_columns)
    run.validation[std::string(name)].push_back(row.at("val_" + std::string(name)).get<double>());
}

// Runs body(line) for each whole line of JSON.
template <class Body>
void for_lines(const std::string& text, const fs::path& path, const Body& body) {
  std::size_t line = 1;
  for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1, ++line) {
    try {
      body(nlohmann::ordered_json::parse(text.substr(start, end - start)));
    } catch (const nlohmann::json::exception&) {
      throw input_error("{}, line {}: not what a training writes there", path.string(), line);
    }
  }
}

}  // namespace

RunHistory read_run(const fs::path& folder) {
  RunHistory run;
  run.folder = folder;
  run.config_text = required_text(folder / "config.toml");
  run.config = parse_config(run.config_text, (folder / "config.toml").string());
  if (const auto record = text_of(folder / "run.json")) {
    run.record = nlohmann::ordered_json::parse(*record, nullptr, false);
    if (!run.record.is_object()) throw input_error("{}: damaged", (folder / "run.json").string());
  }
  const auto log = folder / "log.jsonl";
  for_lines(required_text(log), log, [&](const auto& row) { add_row(run, row); });
  const auto starts = folder / "starts.jsonl";
  for_lines(text_of(starts).value_or(""), starts, [&](const auto& start) { run.starts.push_back(start); });
  return run;
}

Columns thinned(const Columns& columns, std::size_t rows) {
  Columns result;
  for (const auto& [name, values] : columns) {
    const std::size_t run = (values.size() + rows - 1) / std::max<std::size_t>(rows, 1);
    auto& kept = result[name];
    for (std::size_t first = 0; first < values.size(); first += run) {
      const std::size_t last = std::min(first + run, values.size());
      double sum = 0;
      for (std::size_t i = first; i < last; ++i) sum += values[i];
      kept.push_back(name == "step" ? values[last - 1] : sum / static_cast<double>(last - first));
    }
  }
  return result;
}

}  // namespace plume::unet

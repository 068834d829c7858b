// Figures of steps, and how they are written down.
#include "unet/commands/steps_report.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <numeric>

#include "dist/launcher.hpp"
#include "unet/commands/median.hpp"

namespace plume::unet {
namespace {

std::string joined(const nlohmann::ordered_json& entries, char end) {
  std::string text;
  for (const auto& [key, value] : entries.items()) {
    if (value.is_null()) continue;
    text += key + '=';
    if (value.is_string()) text += value.get<std::string>();
    if (value.is_number_integer()) text += fmt::format("{}", value.get<std::int64_t>());
    if (value.is_number_float()) text += fmt::format("{:.6g}", value.get<double>());
    text += end;
  }
  return text;
}

}  // namespace

std::string lines_of(const nlohmann::ordered_json& entries) {
  return joined(entries, '\n');
}

std::string line_of(const nlohmann::ordered_json& entries) {
  std::string line = joined(entries, ' ');
  if (!line.empty()) line.back() = '\n';
  return line;
}

nlohmann::ordered_json to_json(const MeasuredStep& step) {
  return {{"loss", step.loss},
          {"images", step.images},
          {"seconds", step.seconds},
          {"img_per_s", static_cast<double>(step.images) / step.seconds},
          {"data_wait_s", step.waited}};
}

double images_per_second(const std::vector<MeasuredStep>& steps) {
  MeasuredStep all;
  for (const MeasuredStep& step : steps) {
    all.images += step.images;
    all.seconds += step.seconds;
  }
  return static_cast<double>(all.images) / all.seconds;
}

double median_seconds(const std::vector<MeasuredStep>& steps) {
  std::vector<double> seconds;
  seconds.reserve(steps.size());
  for (const MeasuredStep& step : steps) seconds.push_back(step.seconds);
  return median(seconds);
}

std::string system_name() {
  if (const char* name = std::getenv("SYSTEMNAME")) return name;
  std::string name;
  std::ifstream file("/etc/FZJ/systemname");
  return file >> name ? name : dist::host_name();
}

std::string job_name() {
  const char* job = std::getenv("SLURM_JOB_ID");
  return job == nullptr ? "none" : job;
}

}  // namespace plume::unet

// What measured training steps amount to, for people and for programs that read key=value lines.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plume::unet {

// One step of all ranks together.
struct MeasuredStep {
  double loss = 0;
  std::int64_t images = 0;
  double seconds = 0;
  double waited = 0;  // of these, for data
};

// `key=value` of each entry, numbers with six digits, null left out; one a line, or between spaces.
[[nodiscard]] std::string lines_of(const nlohmann::ordered_json& entries);
[[nodiscard]] std::string line_of(const nlohmann::ordered_json& entries);

// loss, images, seconds, img_per_s, data_wait_s of a step.
[[nodiscard]] nlohmann::ordered_json to_json(const MeasuredStep& step);

[[nodiscard]] double images_per_second(const std::vector<MeasuredStep>& steps);
[[nodiscard]] double median_seconds(const std::vector<MeasuredStep>& steps);

// The name by which a site knows its machine: SYSTEMNAME, else what /etc/FZJ/systemname says (Jülich's machines), else this
// host's.
[[nodiscard]] std::string system_name();
// Slurm's number of it; "none" outside of one.
[[nodiscard]] std::string job_name();

}  // namespace plume::unet

// What a run's folder tells of its training (train.hpp).
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unet/config.hpp"

namespace plume::unet {

// Columns of a log by name, all of one length.
using Columns = std::map<std::string, std::vector<double>>;

struct RunHistory {
  std::filesystem::path folder;
  std::string config_text;
  Config config;
  nlohmann::ordered_json record;               // run.json; null where the training has not come to its end
  std::vector<nlohmann::ordered_json> starts;  // starts.jsonl (start_record.hpp); none of a run of an older plume
  Columns log;                                 // step, loss, learning_rate, images_per_second, data_wait
  Columns validation;                          // step, iou, dice, precision, recall
};

// Throws input_error where there is no config.toml or log.jsonl, or they are damaged; a last line of the log that a
// killed run tore off is left out.
[[nodiscard]] RunHistory read_run(const std::filesystem::path& folder);

// At most so many rows: the means of runs of rows, and of steps the last.
[[nodiscard]] Columns thinned(const Columns& columns, std::size_t rows);

}  // namespace plume::unet

// What a training tells: log.csv and log.jsonl for programs, events for TensorBoard, a progress bar or plain lines for people.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string>

#include "unet/tensorboard/event_file.hpp"
#include "unet/tensorboard/tile_panels.hpp"

namespace plume::unet {

// A row of the log: the mean of the steps since the last one, and a validation where there was one.
struct LogRow {
  std::int64_t step = 0;  // optimiser steps done
  std::int64_t epoch = 0;
  double loss = 0;
  double learning_rate = 0;
  double images_per_second = 0;
  double data_wait = 0;  // share of the time spent waiting for the loader
  struct Validation {
    double iou = 0;  // this and the next four: over all pixels, the mean of the classes that are not background
    double dice = 0;
    double precision = 0;
    double recall = 0;
    double accuracy = 0;
    double image_iou = 0;  // the mean over images
    double pr_area = 0;    // this and all below: of what is not background
    double roc_area = 0;
    double calibration_error = 0;
    double best_threshold = 0;
    double best_iou = 0;
    bool best = false;  // of all so far
  };
  std::optional<Validation> validation;
};

// Sums since the last row.
struct Interval {
  double loss = 0;
  std::int64_t steps = 0;  // that count in the loss
  std::int64_t images = 0;
  double waited = 0;  // seconds, for the loader
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  void add(double step_loss) {
    loss += step_loss;
    ++steps;
  }
  [[nodiscard]] double seconds() const;
  [[nodiscard]] double mean_loss() const { return loss / static_cast<double>(std::max<std::int64_t>(steps, 1)); }
  [[nodiscard]] double images_per_second() const { return static_cast<double>(images) / seconds(); }
  [[nodiscard]] double seconds_per_step() const {
    return seconds() / static_cast<double>(std::max<std::int64_t>(steps, 1));
  }
  // Its loss and times.
  [[nodiscard]] LogRow row() const;
};

class TrainLog {
 public:
  // Rows beyond `resumed_step` that a killed run left are dropped. Throws environment_error where the files cannot be
  // written.
  TrainLog(const std::filesystem::path& folder, std::int64_t resumed_step, std::int64_t steps, bool quiet);
  ~TrainLog();

  void write(const LogRow& row);
  // Moves the progress bar, where there is one: what the next row would be.
  void progress(const LogRow& row, double seconds_per_step);
  void line(const std::string& text);
  // For TensorBoard.
  void show(std::int64_t step, std::span<const TilePanel> tiles);

 private:
  void clear_bar();

  std::int64_t steps_;
  bool quiet_;
  bool terminal_;
  bool bar_shown_ = false;
  std::optional<double> iou_;  // of the last validation
  std::ofstream csv_;
  std::ofstream jsonl_;
  EventFile events_;
};

}  // namespace plume::unet

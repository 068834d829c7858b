// Log files and the terminal.
#include "unet/train_log.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "kernels/base/atomic_file.hpp"
#include "kernels/base/error.hpp"
#include "unet/progress_line.hpp"

namespace plume::unet {
namespace {

constexpr const char* first_columns = "step,epoch,loss,learning_rate,images_per_second,data_wait";

// The columns of a validation, in their order.
struct Figure {
  const char* name;
  double LogRow::Validation::*value;
};
constexpr std::array figures{Figure{"val_iou", &LogRow::Validation::iou},
                             Figure{"val_dice", &LogRow::Validation::dice},
                             Figure{"val_precision", &LogRow::Validation::precision},
                             Figure{"val_recall", &LogRow::Validation::recall},
                             Figure{"val_accuracy", &LogRow::Validation::accuracy},
                             Figure{"val_image_iou", &LogRow::Validation::image_iou},
                             Figure{"val_pr_area", &LogRow::Validation::pr_area},
                             Figure{"val_roc_area", &LogRow::Validation::roc_area},
                             Figure{"val_calibration_error", &LogRow::Validation::calibration_error},
                             Figure{"val_best_threshold", &LogRow::Validation::best_threshold},
                             Figure{"val_best_iou", &LogRow::Validation::best_iou}};

std::string header_line() {
  std::string line = first_columns;
  for (const Figure& figure : figures) line += std::string(",") + figure.name;
  return line + "\n";
}

std::int64_t step_of_csv(const std::string& line) {
  return std::atoll(line.c_str());
}

std::int64_t step_of_json(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  const bool has_step = json.is_object() && json.contains("step") && json["step"].is_number_integer();
  return has_step ? json["step"].get<std::int64_t>() : -1;
}

// Keeps the lines whose step is in [0, last]; a torn last line goes too.
template <class StepOf>
void trim(const std::filesystem::path& path, const std::string& first_line, std::int64_t last, const StepOf& step_of) {
  std::string kept = first_line;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (file.eof() || line.empty() || line[0] == 's') continue;  // torn, or the header
    const std::int64_t step = step_of(line);
    if (step > 0 && step <= last) kept += line + "\n";
  }
  AtomicFile trimmed(path);
  trimmed.write(kept);
  trimmed.commit();
}

int terminal_columns() {
  winsize size{};
  constexpr int usual = 80;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

}  // namespace

TrainLog::TrainLog(const std::filesystem::path& folder, std::int64_t resumed_step, std::int64_t steps, bool quiet)
    : steps_(steps), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0), events_(folder, resumed_step + 1) {
  const auto csv = folder / "log.csv";
  const auto jsonl = folder / "log.jsonl";
  trim(csv, header_line(), resumed_step, step_of_csv);
  trim(jsonl, "", resumed_step, step_of_json);
  csv_.open(csv, std::ios::app);
  jsonl_.open(jsonl, std::ios::app);
  if (!csv_ || !jsonl_) throw environment_error("cannot write the log in {}", folder.string());
}

LogRow Interval::row() const {
  LogRow row;
  row.loss = mean_loss();
  row.images_per_second = images_per_second();
  row.data_wait = waited / seconds();
  return row;
}

double Interval::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TrainLog::~TrainLog() {
  clear_bar();
}

void TrainLog::write(const LogRow& row) {
  csv_ << fmt::format("{},{},{:.9g},{:.6g},{:.2f},{:.4f}", row.step, row.epoch, row.loss, row.learning_rate,
                      row.images_per_second, row.data_wait);
  nlohmann::ordered_json json{{"step", row.step},
                              {"epoch", row.epoch},
                              {"loss", row.loss},
                              {"learning_rate", row.learning_rate},
                              {"images_per_second", row.images_per_second},
                              {"data_wait", row.data_wait}};
  std::string text =
      fmt::format("step {:>{}}/{}  epoch {}  loss {:.4f}  lr {:.2e}  {:.1f} images/s", row.step,
                  std::to_string(steps_).size(), steps_, row.epoch, row.loss, row.learning_rate, row.images_per_second);
  events_.scalar(row.step, "train/loss", row.loss);
  events_.scalar(row.step, "train/learning_rate", row.learning_rate);
  events_.scalar(row.step, "speed/images_per_second", row.images_per_second);
  events_.scalar(row.step, "speed/data_wait", row.data_wait);
  if (row.validation) {
    const auto& v = *row.validation;
    iou_ = v.iou;
    for (const Figure& figure : figures) {
      events_.scalar(row.step, std::string("validation/") + (figure.name + std::strlen("val_")), v.*figure.value);
      csv_ << fmt::format(",{:.6f}", v.*figure.value);
      json[figure.name] = v.*figure.value;
    }
    text += fmt::format("  val IoU {:.4f}  precision {:.3f}  recall {:.3f}{}", v.iou, v.precision, v.recall,
                        v.best ? "  (best)" : "");
  } else {
    csv_ << std::string(figures.size(), ',');
  }
  csv_ << "\n";
  csv_.flush();
  jsonl_ << json.dump() << "\n" << std::flush;
  if (!csv_ || !jsonl_) throw environment_error("cannot write the log: is the disk full?");
  // A bar is already there for what happens between validations.
  if (!terminal_ || row.validation) line(text);
}

void TrainLog::progress(const LogRow& row, double seconds_per_step) {
  if (quiet_ || !terminal_) return;
  const TrainProgress progress{row.step,      steps_,          row.epoch, row.loss, iou_, row.images_per_second,
                               row.data_wait, seconds_per_step};
  std::fputs(("\r\033[K" + progress_line(progress, terminal_columns())).c_str(), stderr);
  std::fflush(stderr);
  bar_shown_ = true;
}

void TrainLog::line(const std::string& text) {
  if (quiet_) return;
  clear_bar();
  fmt::print(stderr, "{}\n", text);
  std::fflush(stderr);
}

void TrainLog::show(std::int64_t step, std::span<const TilePanel> tiles) {
  for (const TilePanel& tile : tiles) events_.image(step, "validation/" + tile.name, tile.height, tile.width, tile.png);
}

void TrainLog::clear_bar() {
  if (bar_shown_) std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

}  // namespace plume::unet

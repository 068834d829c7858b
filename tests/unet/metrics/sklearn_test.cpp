// Every figure of an evaluation is scikit-learn's of the same pixels (sklearn_figures.py), for one class and for
// several.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../../python.hpp"
#include "kernels/base/philox.hpp"
#include "scratch_folder.hpp"
#include "unet/evaluation_report.hpp"

namespace plume::unet {
namespace {

constexpr int edge = 100;
constexpr int count = edge * edge;
constexpr float threshold = 0.4F;

struct Pixels {
  int classes = 1;
  std::vector<float> probability;  // [count][classes]
  std::vector<std::uint8_t> labels;
};

// Probabilities that tell something, some of which occur twice, and a few pixels to ignore.
Pixels draw_pixels(int classes) {
  Pixels pixels{classes, {}, {}};
  Philox draw(static_cast<std::uint64_t>(classes), 0);
  for (int i = 0; i < count; ++i) {
    const auto label = static_cast<std::uint8_t>(draw.below(static_cast<std::uint32_t>(std::max(classes, 2))));
    std::vector<double> share(static_cast<std::size_t>(classes));
    double sum = classes == 1 ? 1 : 0;
    for (int c = 0; c < classes; ++c) {
      const bool hit = label == (classes == 1 ? 1 : c);
      sum += share[static_cast<std::size_t>(c)] = std::exp(draw.normal() + (hit ? 0.8 : -0.8));
    }
    for (const double part : share)
      pixels.probability.push_back(static_cast<float>(std::round(1000 * part / sum) / 1000));
    pixels.labels.push_back(draw.below(20) == 0 ? 255 : label);
  }
  return pixels;
}

// The pixels as two images of unequal sizes.
Evaluation evaluation_of(const Pixels& pixels) {
  Evaluation evaluation(2, pixels.classes);
  evaluation.details.emplace(pixels.classes);
  const std::size_t rows[] = {30, edge - 30};
  std::size_t first = 0;
  for (std::size_t image = 0; image < 2; ++image) {
    const std::size_t size = rows[image] * edge;
    const auto at = static_cast<std::ptrdiff_t>(first);
    const std::vector<std::uint8_t> labels(pixels.labels.begin() + at,
                                           pixels.labels.begin() + at + static_cast<std::ptrdiff_t>(size));
    add_image(evaluation, image, pixels.probability.data() + first * static_cast<std::size_t>(pixels.classes), labels,
              static_cast<int>(rows[image]), edge, {.threshold = threshold});
    first += size;
  }
  return evaluation;
}

nlohmann::json theirs_of(const Pixels& pixels, const tests::ScratchFolder& folder) {
  nlohmann::json probability = nlohmann::json::array();
  for (std::size_t p = 0; p < pixels.labels.size(); ++p) {
    const auto row = pixels.probability.begin() + static_cast<std::ptrdiff_t>(p) * pixels.classes;
    if (pixels.classes == 1) {
      probability.push_back(*row);
    } else {
      probability.push_back(std::vector<float>(row, row + pixels.classes));
    }
  }
  std::ofstream(folder / "pixels.json") << nlohmann::json{
      {"probability", probability}, {"labels", pixels.labels}, {"threshold", threshold}};
  const std::string command = tests::python + " -B " PLUME_SOURCE_DIR "/tests/unet/metrics/sklearn_figures.py '" +
                              (folder / "pixels.json").string() + "' '" + (folder / "theirs.json").string() + "'";
  if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
  return nlohmann::json::parse(std::ifstream(folder / "theirs.json"));
}

// Each figure of theirs that is a number is ours.
void expect_figures(const nlohmann::json& ours, const nlohmann::json& theirs, const std::string& name) {
  for (const auto& [key, figure] : theirs.items()) {
    if (!figure.is_number()) continue;
    EXPECT_NEAR(ours.at(key).get<double>(), figure.get<double>(), 1e-12) << name << ' ' << key;
  }
}

void expect_curve(const Scores& scores, const nlohmann::json& theirs) {
  const auto curve = scores.curve();
  const auto& precision = theirs["curve_precision"];  // from the lowest threshold to the highest, then (1, 0)
  ASSERT_EQ(curve.size() + 1, precision.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const std::size_t other = curve.size() - 1 - i;
    ASSERT_NEAR(curve[i].precision, precision[other].get<double>(), 1e-12) << i;
    ASSERT_NEAR(curve[i].recall, theirs["curve_recall"][other].get<double>(), 1e-12) << i;
  }
}

class ScikitLearn : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Classes, ScikitLearn, testing::Values(1, 4), testing::PrintToStringParamName());

TEST_P(ScikitLearn, HasTheSameFigures) {
  if (!tests::python_has("sklearn, numpy")) {
    GTEST_SKIP() << tests::python << " has no sklearn (Debian: python3-sklearn)";
  }
  const tests::ScratchFolder folder;
  const Pixels pixels = draw_pixels(GetParam());
  const Evaluation evaluation = evaluation_of(pixels);
  const auto theirs = theirs_of(pixels, folder);
  const nlohmann::json ours = to_json(evaluation);
  ASSERT_EQ(ours["classes"].size(), theirs["classes"].size());
  for (std::size_t c = 0; c < theirs["classes"].size(); ++c) {
    expect_figures(ours["classes"][c], theirs["classes"][c], "class " + std::to_string(c));
    expect_curve(evaluation.details->scores[c], theirs["classes"][c]);
  }
  EXPECT_EQ(ours["confusion_matrix"], theirs["confusion_matrix"]);
  if (GetParam() == 1) return;
  for (std::size_t level = 0; level < theirs["at_least"].size(); ++level)
    expect_figures(ours["at_least"][level], theirs["at_least"][level], "at least " + std::to_string(level + 1));
  expect_figures(ours["foreground"], theirs["foreground"], "foreground");
}

}  // namespace
}  // namespace plume::unet

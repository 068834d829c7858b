// One table decides what a mask's values mean; everything outside it is an error that names the pixel.
#include "data/labels.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

constexpr std::size_t kValues = 65536;
constexpr int kUnexpected = -1;

using Table = std::vector<int>;  // [65536]: the label of each value, or kUnexpected

void check_rule(const LabelRule& rule) {
  if (rule.classes < 1 || rule.classes > 255) throw usage_error("{} classes: 1 to 255 can be labelled", rule.classes);
  if (rule.mask_values.empty()) return;
  const int labels = rule.classes == 1 ? 2 : rule.classes;
  if (static_cast<int>(rule.mask_values.size()) != labels)
    throw usage_error("{} mask values for {} labels ({}); give one per label", rule.mask_values.size(), labels,
                      rule.classes == 1 ? "background and the class" : "one per class");
  for (auto value = rule.mask_values.begin(); value != rule.mask_values.end(); ++value) {
    if (*value < 0 || *value >= static_cast<int>(kValues)) throw usage_error("mask value {} is not 0 to 65535", *value);
    if (std::find(rule.mask_values.begin(), value, *value) != value)
      throw usage_error("mask value {} is given for two labels", *value);
  }
}

Table table_of(const LabelRule& rule) {
  Table table(kValues, kUnexpected);
  if (!rule.mask_values.empty()) {
    for (std::size_t label = 0; label < rule.mask_values.size(); ++label)
      table[static_cast<std::size_t>(rule.mask_values[label])] = static_cast<int>(label);
  } else if (rule.classes == 1) {
    table[0] = 0;
    table[1] = 1;
    table[255] = 1;
  } else {
    for (int label = 0; label < rule.classes; ++label) table[static_cast<std::size_t>(label)] = label;
    table[255] = kIgnoreLabel;
  }
  if (rule.ignore && *rule.ignore >= 0 && *rule.ignore < static_cast<int>(kValues))
    table[static_cast<std::size_t>(*rule.ignore)] = kIgnoreLabel;
  return table;
}

std::string expected_values(const LabelRule& rule) {
  std::string text;
  if (!rule.mask_values.empty()) {
    for (const int value : rule.mask_values) text += fmt::format("{}{}", text.empty() ? "" : ", ", value);
  } else {
    text = rule.classes == 1 ? "0 and 1, or 0 and 255" : fmt::format("0 to {}, 255 to ignore", rule.classes - 1);
  }
  if (rule.ignore) text += fmt::format(", {} to ignore", *rule.ignore);
  return text;
}

std::size_t table_index(float value) {
  // What is no small whole number maps to the end, which no table accepts.
  if (!(value >= 0 && value < static_cast<float>(kValues)) || value != std::floor(value)) return kValues;
  return static_cast<std::size_t>(value);
}

// Both 1 and 255 could mean the class; a file with both was made by something else, e.g. resampling.
void check_ambiguity(const Raster& mask, const LabelRule& rule, const std::filesystem::path& path) {
  if (rule.classes != 1 || !rule.mask_values.empty() || (rule.ignore && (*rule.ignore == 1 || *rule.ignore == 255)))
    return;
  bool one = false;
  bool full = false;
  for (const float value : mask.pixels) {
    one = one || value == 1.0F;
    full = full || value == 255.0F;
  }
  if (one && full)
    throw input_error("{} holds both 1 and 255, so it is unclear what is the class; name the values with mask_values",
                      path.string());
}

}  // namespace

std::vector<std::uint8_t> labels_from_mask(const Raster& mask, const LabelRule& rule,
                                           const std::filesystem::path& path) {
  check_rule(rule);
  if (mask.bands != 1) throw input_error("{} has {} bands; a mask has one", path.string(), mask.bands);
  const auto table = table_of(rule);
  std::vector<std::uint8_t> labels(mask.pixels.size());
  for (std::size_t pixel = 0; pixel < labels.size(); ++pixel) {
    if (!mask.valid.empty() && mask.valid[pixel] == 0) {
      labels[pixel] = kIgnoreLabel;
      continue;
    }
    const auto index = table_index(mask.pixels[pixel]);
    if (index == kValues || table[index] == kUnexpected)
      throw input_error("{} holds {} at row {}, column {}; expected {}", path.string(), mask.pixels[pixel],
                        pixel / static_cast<std::size_t>(mask.width), pixel % static_cast<std::size_t>(mask.width),
                        expected_values(rule));
    labels[pixel] = static_cast<std::uint8_t>(table[index]);
  }
  check_ambiguity(mask, rule, path);
  return labels;
}

}  // namespace plume::data

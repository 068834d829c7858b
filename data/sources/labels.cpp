// One table decides what a mask's values mean; everything outside it is an error that names the pixel.
#include "data/sources/labels.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/base/error.hpp"
#include "kernels/loss.hpp"

namespace plume::data {
namespace {

constexpr std::size_t value_count = 65536;
constexpr int unexpected = -1;

using Table = std::vector<int>;  // [65536]: the label of each value, or unexpected

void check_rule(const LabelRule& rule) {
  if (rule.classes < 1 || rule.classes > 255) throw usage_error("{} classes: 1 to 255 can be labelled", rule.classes);
  if (rule.mask_values.empty()) return;
  const int labels = rule.classes == 1 ? 2 : rule.classes;
  if (static_cast<int>(rule.mask_values.size()) != labels)
    throw usage_error("{} mask values for {} labels ({}); give one per label", rule.mask_values.size(), labels,
                      rule.classes == 1 ? "background and the class" : "one per class");
  for (auto value = rule.mask_values.begin(); value != rule.mask_values.end(); ++value) {
    if (*value < 0 || *value >= static_cast<int>(value_count))
      throw usage_error("mask value {} is not 0 to 65535", *value);
    if (std::find(rule.mask_values.begin(), value, *value) != value)
      throw usage_error("mask value {} is given for two labels", *value);
  }
}

Table table_of(const LabelRule& rule) {
  Table table(value_count, unexpected);
  if (!rule.mask_values.empty()) {
    for (std::size_t label = 0; label < rule.mask_values.size(); ++label)
      table[static_cast<std::size_t>(rule.mask_values[label])] = static_cast<int>(label);
  } else if (rule.classes == 1) {
    table[0] = 0;
    table[1] = 1;
    table[255] = 1;
  } else {
    for (int label = 0; label < rule.classes; ++label) table[static_cast<std::size_t>(label)] = label;
    table[255] = kernels::ignore_label;
  }
  if (rule.ignore && *rule.ignore >= 0 && *rule.ignore < static_cast<int>(value_count))
    table[static_cast<std::size_t>(*rule.ignore)] = kernels::ignore_label;
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
  if (!(value >= 0 && value < static_cast<float>(value_count)) || value != std::floor(value)) return value_count;
  return static_cast<std::size_t>(value);
}

// Both 1 and 255 could mean the class; a file with both was made by something else, e.g. resampling. Where one of them
// is marked as nodata, it could mean either.
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
  if ((one && mask.nodata == 1.0F) || (full && mask.nodata == 255.0F))
    throw input_error(
        "{} holds {} and marks it as nodata, so it is unclear whether that is the class; name the values "
        "with mask_values",
        path.string(), *mask.nodata);
}

bool is_nodata(const Raster& mask, float value) {
  return mask.nodata && (value == *mask.nodata || (std::isnan(value) && std::isnan(*mask.nodata)));
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
      labels[pixel] = kernels::ignore_label;
      continue;
    }
    const float value = mask.pixels[pixel];
    const auto index = table_index(value);
    const int label = index == value_count ? unexpected : table[index];
    // The rule comes first: whoever marks 0 as nodata still means the background.
    if (label == unexpected && !is_nodata(mask, value))
      throw input_error("{} holds {} at row {}, column {}; expected {}", path.string(), value,
                        pixel / static_cast<std::size_t>(mask.width), pixel % static_cast<std::size_t>(mask.width),
                        expected_values(rule));
    labels[pixel] = label == unexpected ? kernels::ignore_label : static_cast<std::uint8_t>(label);
  }
  check_ambiguity(mask, rule, path);
  return labels;
}

}  // namespace plume::data

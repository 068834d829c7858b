// CDL as ncdump writes it has one statement to a line, so lines are looked at one by one.
#include "data/synth/cdl.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "data/images/text.hpp"

namespace plume::data::synth {
namespace {

constexpr std::array<std::pair<std::string_view, CdlType>, 6> type_names{{{"char", CdlType::text},
                                                                          {"byte", CdlType::i8},
                                                                          {"short", CdlType::i16},
                                                                          {"int", CdlType::i32},
                                                                          {"float", CdlType::f32},
                                                                          {"double", CdlType::f64}}};

// Splits at the first separator; the second part is empty where there is none.
std::pair<std::string_view, std::string_view> split(std::string_view text, char separator) {
  const auto place = text.find(separator);
  if (place == std::string_view::npos) return {trimmed(text), {}};
  return {trimmed(text.substr(0, place)), trimmed(text.substr(place + 1))};
}

double number_of(std::string_view text) {
  if (text == "_") return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) throw std::logic_error("no number");
  return value;
}

// 1b, 1s, 1.f, 1., 1: the suffix, or else the point, tells the type.
CdlType take_type(std::string_view& text) {
  const char last = text.empty() ? '\0' : text.back();
  if (last == 'b' || last == 's' || last == 'f') {
    text.remove_suffix(1);
    return last == 'b' ? CdlType::i8 : last == 's' ? CdlType::i16 : CdlType::f32;
  }
  return text.find_first_of(".eE") == std::string_view::npos ? CdlType::i32 : CdlType::f64;
}

CdlValues values_of(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    return {CdlType::text, std::string(text.substr(1, text.size() - 2)), {}};
  CdlValues values;
  while (!text.empty()) {
    auto [first, rest] = split(text, ',');
    values.type = take_type(first);
    values.numbers.push_back(number_of(first));
    text = rest;
  }
  if (values.numbers.empty()) throw std::logic_error("no value");
  return values;
}

class Parser {
 public:
  Cdl parse(std::string_view text) {
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      const std::string_view line = trimmed(text.substr(0, end));
      try {
        take(line);
      } catch (const std::logic_error& error) {
        throw std::logic_error("CDL: " + std::string(error.what()) + " in: " + std::string(line));
      }
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::move(cdl_);
  }

 private:
  enum class Section { none, dimensions, variables, data };

  void take(std::string_view line) {
    if (line.empty() || line.starts_with("//") || line.starts_with("netcdf ") || line == "}") return;
    if (line == "dimensions:") return void(section_ = Section::dimensions);
    if (line == "variables:") return void(section_ = Section::variables);
    if (line == "data:") return void(section_ = Section::data);
    if (line.back() != ';') throw std::logic_error("no semicolon");
    line = trimmed(line.substr(0, line.size() - 1));
    switch (section_) {
      case Section::dimensions: return dimension(line);
      case Section::variables: return line.find(" = ") == std::string_view::npos ? variable(line) : attribute(line);
      case Section::data: return data(line);
      case Section::none: throw std::logic_error("no section");
    }
  }

  void dimension(std::string_view line) {
    const auto [name, text] = split(line, '=');
    std::size_t size = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (failed != std::errc() || end != text.data() + text.size()) throw std::logic_error("no size");
    cdl_.dimensions.emplace_back(name, size);
  }

  void variable(std::string_view line) {
    const auto [type, declared] = split(line, ' ');
    auto [name, dimensions] = split(declared, '(');
    CdlVariable made;
    const auto* found = std::find_if(type_names.begin(), type_names.end(),
                                     [&, wanted = type](const auto& t) { return t.first == wanted; });
    if (found == type_names.end()) throw std::logic_error("no such type");
    made.type = found->second;
    made.name = name;
    if (!dimensions.empty()) dimensions.remove_suffix(1);  // the closing parenthesis
    while (!dimensions.empty()) {
      const auto [first, rest] = split(dimensions, ',');
      made.dimensions.emplace_back(first);
      dimensions = rest;
    }
    cdl_.variables.push_back(std::move(made));
  }

  void attribute(std::string_view line) {
    const auto [owner, named] = split(line, ':');
    const auto [name, value] = split(named, '=');
    auto& attributes = owner.empty() ? cdl_.attributes : variable_named(owner).attributes;
    attributes.emplace_back(name, values_of(value));
  }

  void data(std::string_view line) {
    const auto [name, value] = split(line, '=');
    variable_named(name).data = values_of(value).numbers;
  }

  CdlVariable& variable_named(std::string_view name) {
    const auto found = std::find_if(cdl_.variables.begin(), cdl_.variables.end(),
                                    [&](const CdlVariable& variable) { return variable.name == name; });
    if (found == cdl_.variables.end()) throw std::logic_error("no such variable");
    return *found;
  }

  Section section_ = Section::none;
  Cdl cdl_;
};

}  // namespace

Cdl parse_cdl(std::string_view text) {
  return Parser().parse(text);
}

}  // namespace plume::data::synth

// A netCDF file's header and small variables as text: what `ncdump -h` prints and a data section, but without groups, types of
// one's own, unlimited dimensions and escapes in strings.
// Source: NetCDF Users Guide, "The CDL syntax".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plume::data::synth {

enum class CdlType { text, i8, i16, i32, f32, f64 };

// Of an attribute or a variable; text or numbers.
struct CdlValues {
  CdlType type = CdlType::i32;
  std::string text;
  std::vector<double> numbers;
};

using CdlAttributes = std::vector<std::pair<std::string, CdlValues>>;

struct CdlVariable {
  CdlType type = CdlType::i32;
  std::string name;
  std::vector<std::string> dimensions;
  CdlAttributes attributes;
  std::vector<double> data;  // empty where the text gives none; NaN where it gives `_`
};

struct Cdl {
  std::vector<std::pair<std::string, std::size_t>> dimensions;
  std::vector<CdlVariable> variables;
  CdlAttributes attributes;
};

// Throws std::logic_error with the line at fault: the texts are the program's own.
[[nodiscard]] Cdl parse_cdl(std::string_view text);

}  // namespace plume::data::synth

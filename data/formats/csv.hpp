// Comma-separated values with a header line.
// Source: RFC 4180 (quoted fields may hold commas, line breaks and doubled quotes; LF alone is taken too, and a BOM).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace plume::data {

struct CsvRow {
  int line = 0;  // where the row starts, from 1
  std::vector<std::string> fields;
};

// The rows of a text, blank lines left out. `path` is for messages. Throws input_error for a quote that never closes
// or that is followed by more text.
[[nodiscard]] std::vector<CsvRow> parse_csv(std::string_view text, const std::filesystem::path& path);

}  // namespace plume::data

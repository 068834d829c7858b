// The text form of a choice of bands: "1-6", "1,2,5".
#include <algorithm>
#include <charconv>

#include "data/images/raster.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

constexpr int max_band_number = 65536;

int band_number(std::string_view part, std::string_view whole) {
  int number = 0;
  const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), number);
  if (failed != std::errc{} || end != part.data() + part.size() || number < 1 || number > max_band_number)
    throw usage_error("'{}' is no choice of bands; write it as 1-6 or 1,2,5, counted from 1", whole);
  return number;
}

}  // namespace

std::vector<int> parse_bands(std::string_view text) {
  std::vector<int> bands;
  std::vector<bool> chosen(max_band_number);
  for (std::size_t start = 0; !text.empty() && start <= text.size();) {
    const auto comma = std::min(text.find(',', start), text.size());
    const auto part = text.substr(start, comma - start);
    const auto dash = part.find('-');
    const int first = band_number(part.substr(0, dash), text);
    const int last = dash == std::string_view::npos ? first : band_number(part.substr(dash + 1), text);
    if (last < first) throw usage_error("bands {} run backwards; write {}-{}", part, last, first);
    for (int band = first; band <= last; ++band) {
      if (chosen[static_cast<std::size_t>(band - 1)]) throw usage_error("band {} is chosen twice in '{}'", band, text);
      chosen[static_cast<std::size_t>(band - 1)] = true;
      bands.push_back(band - 1);
    }
    start = comma + 1;
  }
  return bands;
}

}  // namespace plume::data

// Distances between words, letter by letter.
#include "kernels/base/nearest_word.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>

namespace plume {
namespace {

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& words) {
  return *std::min_element(words.begin(), words.end(), [&](const std::string& a, const std::string& b) {
    return distance(a, word) < distance(b, word);
  });
}

std::string suggestion(std::string_view word, const std::vector<std::string>& words) {
  if (words.empty() || word.empty()) return "";
  const auto meant = [](const std::string& one) { return fmt::format("; did you mean {}?", one); };
  const std::string last_part = fmt::format(".{}", word);
  const auto ends = [&](const std::string& one) { return one.ends_with(last_part); };
  const auto holds = [&](const std::string& one) { return one.find(word) != std::string::npos; };
  if (const auto found = std::find_if(words.begin(), words.end(), ends); found != words.end()) return meant(*found);
  if (const auto found = std::find_if(words.begin(), words.end(), holds); found != words.end()) return meant(*found);
  const std::string nearest = nearest_word(word, words);
  return 2 * distance(nearest, word) <= std::max(nearest.size(), word.size()) ? meant(nearest) : "";
}

}  // namespace plume

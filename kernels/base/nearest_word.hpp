// What was meant by a word that nobody knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plume {

// The one of these words, of which there is one, that takes the fewest changed, added and removed letters to become.
// Source: Levenshtein, 1966.
[[nodiscard]] std::string nearest_word(std::string_view word, const std::vector<std::string>& words);

// "; did you mean WORD?" where that is likely: of words with dots one whose last part it is, else one that holds it,
// else one of which no more than half would have to change; else nothing.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& words);

}  // namespace plume

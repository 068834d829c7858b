// Probabilities as JSON.
#pragma once

#include <string>

#include "unet/serve/probabilities.hpp"

namespace plume::serve {

// {"predictions": [N][H][W][classes]}, each number with the fewest digits that give the same float again.
// The probabilities are finite.
[[nodiscard]] std::string encode_json(const Probabilities& probabilities);

}  // namespace plume::serve

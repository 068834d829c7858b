// An evaluation for programs and for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "unet/evaluate.hpp"

namespace plume::unet {

// Everything, as `plume eval --json` prints it (docs/reference.md has the keys). The evaluation must have details.
[[nodiscard]] nlohmann::ordered_json to_json(const Evaluation& evaluation);

// The same without the curves, as tables.
[[nodiscard]] std::string to_text(const Evaluation& evaluation);

}  // namespace plume::unet

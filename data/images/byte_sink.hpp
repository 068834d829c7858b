// Where encoders put a file's bytes, piece by piece.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace plume::data {

using ByteSink = std::function<void(std::span<const std::byte>)>;

}  // namespace plume::data

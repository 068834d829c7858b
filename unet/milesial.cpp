// Names from places in the network, and sizes from shapes.
#include "unet/milesial.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "kernels/base/error.hpp"

namespace plume::unet {
namespace {

constexpr std::string_view first_weight = "inc.double_conv.0.weight";
constexpr std::string_view last_weight = "outc.conv.weight";

// "enc12" of "enc12.conv1.weight" is its block, 12 the block's level.
int level_of(std::string_view block) {
  const std::size_t digits = block.find_first_of("0123456789");
  int level = 0;
  std::from_chars(block.data() + digits, block.data() + block.size(), level);
  return level;
}

// Where a double convolution keeps its parts.
int place_of(std::string_view part) {
  return part == "conv1" ? 0 : part == "norm1" ? 1 : part == "conv2" ? 3 : 4;
}

}  // namespace

std::optional<ModelSettings> milesial_settings(const nn::SafetensorsFile& file) {
  const nn::TensorInfo* first = file.find(first_weight);
  if (first == nullptr) return std::nullopt;
  const nn::TensorInfo* last = file.find(last_weight);
  if (last == nullptr || last->shape.size() != 4 || first->shape.size() != 4)
    throw input_error("{}: has {}, but no {} that fits", file.path().string(), first_weight, last_weight);
  ModelSettings settings;
  settings.base = static_cast<int>(first->shape[0]);
  settings.bands = static_cast<int>(first->shape[1]);
  settings.classes = static_cast<int>(last->shape[0]);
  settings.up = file.find("up1.up.weight") != nullptr ? Up::transposed : Up::aligned;
  settings.depth = 0;
  while (file.find(fmt::format("down{}.maxpool_conv.1.double_conv.0.weight", settings.depth + 1)) != nullptr)
    ++settings.depth;
  return settings;
}

std::string milesial_name(std::string_view parameter, int depth) {
  const std::size_t dot = parameter.find('.');
  const std::string_view block = parameter.substr(0, dot);
  const std::string_view rest = parameter.substr(dot + 1);
  if (block == "head") return fmt::format("outc.conv.{}", rest);
  const int level = level_of(block);
  if (block.starts_with("up")) return fmt::format("up{}.up.{}", depth - level, rest);
  const std::size_t end = rest.find('.');
  const std::string in_block = fmt::format("double_conv.{}.{}", place_of(rest.substr(0, end)), rest.substr(end + 1));
  if (block.starts_with("dec")) return fmt::format("up{}.conv.{}", depth - level, in_block);
  return level == 0 ? "inc." + in_block : fmt::format("down{}.maxpool_conv.1.{}", level, in_block);
}

}  // namespace plume::unet

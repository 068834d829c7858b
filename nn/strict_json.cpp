// Parses JSON with the checks that the format leaves to the reader.
#include "nn/strict_json.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/base/error.hpp"

namespace plume::nn {
namespace {

constexpr int max_depth = 64;

// Sees every event of the parser; keeps the keys of the objects that are open.
class DuplicateKeyCheck {
 public:
  void operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > max_depth) throw input_error("JSON is nested deeper than {} levels", max_depth);
    if (event == Event::object_start) open_.emplace_back();
    if (event == Event::object_end) open_.pop_back();
    if (event == Event::key && !open_.back().insert(parsed.get<std::string>()).second) {
      throw input_error("JSON holds the key \"{}\" twice", parsed.get<std::string>());
    }
  }

 private:
  std::vector<std::set<std::string>> open_;
};

}  // namespace

nlohmann::json parse_strict_json(std::string_view text) {
  DuplicateKeyCheck check;
  try {
    return nlohmann::json::parse(text,
                                 [&check](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
                                   check(depth, event, parsed);
                                   return true;
                                 });
  } catch (const nlohmann::json::exception& error) {
    throw input_error("not valid JSON ({})", error.what());
  }
}

std::optional<int> as_int(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    return std::in_range<int>(number) ? std::optional(static_cast<int>(number)) : std::nullopt;
  }
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  return std::in_range<int>(number) ? std::optional(static_cast<int>(number)) : std::nullopt;
}

}  // namespace plume::nn

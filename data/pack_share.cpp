// Which process of several this is.
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>

#include "data/pack.hpp"
#include "kernels/base/error.hpp"

namespace plume::data {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

PackShare checked(std::string_view index, std::string_view count, std::string_view where) {
  const auto i = number(index);
  const auto n = number(count);
  if (!i || !n || *i < 0 || *i >= *n)
    throw usage_error("{}: '{}' of '{}' is no process; they count from 0, as in 0/4 to 3/4", where, index, count);
  return {*i, *n};
}

}  // namespace

PackShare parse_share(std::string_view text) {
  if (text == "auto") {
    constexpr std::array<std::array<const char*, 2>, 2> names{
        {{"SLURM_PROCID", "SLURM_NTASKS"}, {"PMI_RANK", "PMI_SIZE"}}};
    for (const auto& [index, count] : names) {
      const char* const i = std::getenv(index);
      const char* const n = std::getenv(count);
      if (i != nullptr && n != nullptr) return checked(i, n, fmt::format("{} and {}", index, count));
    }
    return {};
  }
  const auto slash = text.find('/');
  if (slash == std::string_view::npos)
    throw usage_error("'{}' is no share of the work; it is 'auto' or, for example, 0/4", text);
  return checked(text.substr(0, slash), text.substr(slash + 1), text);
}

std::filesystem::path shard_path(const std::filesystem::path& output, PackShare share) {
  if (share.count == 1) return output;
  auto path = output;
  return path.replace_filename(fmt::format("{}-{:05}-of-{:05}{}", output.stem().string(), share.index, share.count,
                                           output.extension().string()));
}

}  // namespace plume::data

// The exposition format. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
#include "unet/serve/histogram.hpp"

#include <fmt/core.h>

namespace plume::serve {

std::string Histogram::text(std::string_view name, std::string_view labels) const {
  const std::string_view comma = labels.empty() ? "" : ",";
  const std::string braces = labels.empty() ? "" : fmt::format("{{{}}}", labels);
  std::string text;
  std::uint64_t below = 0;
  for (std::size_t bucket = 0; bucket <= bounds_.size(); ++bucket) {
    below += counts_[bucket].load(std::memory_order_relaxed);
    const std::string bound = bucket < bounds_.size() ? fmt::format("{}", bounds_[bucket]) : "+Inf";
    text += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bound, below);
  }
  text += fmt::format("{}_sum{} {}\n", name, braces, sum_.load(std::memory_order_relaxed));
  text += fmt::format("{}_count{} {}\n", name, braces, below);
  return text;
}

}  // namespace plume::serve

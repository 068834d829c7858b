// AWS's partitions: clouds that share nothing, each with its own domain.
#pragma once

#include <string_view>

namespace plume::cloud {

struct Partition {
  std::string_view name;
  std::string_view suffix;             // amazonaws.com
  std::string_view dual_stack_suffix;  // api.aws: names with IPv6 addresses
};

// Of a region; one that nobody knows is of the partition aws.
[[nodiscard]] const Partition& partition_of(std::string_view region);

}  // namespace plume::cloud

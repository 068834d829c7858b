// By what a region's name begins with.
#include "cloud/endpoints/partition.hpp"

#include <array>
#include <utility>

namespace plume::cloud {

const Partition& partition_of(std::string_view region) {
  static constexpr std::array<std::pair<std::string_view, Partition>, 8> by_prefix{{
      {"cn-", {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"}},
      {"us-gov-", {"aws-us-gov", "amazonaws.com", "api.aws"}},
      {"us-isob-", {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"}},
      {"us-isof-", {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"}},
      {"us-iso-", {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov"}},
      {"eu-isoe-", {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"}},
      {"eusc-", {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"}},
      {"", {"aws", "amazonaws.com", "api.aws"}},
  }};
  for (const auto& [prefix, partition] : by_prefix)
    if (region.starts_with(prefix)) return partition;
  return by_prefix.back().second;
}

}  // namespace plume::cloud

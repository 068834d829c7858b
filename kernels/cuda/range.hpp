// Named stretches of host code in a profiler's timeline (NVTX): a layer's name over the kernels that it queues.
#pragma once

#include <string>

namespace plume::kernels {

// From here to the end of the scope. Nothing where no profiler listens, or in builds without NVTX.
class ProfileRange {
 public:
  explicit ProfileRange(const std::string& name);
  ProfileRange(const ProfileRange&) = delete;
  ProfileRange& operator=(const ProfileRange&) = delete;
  ~ProfileRange();
};

}  // namespace plume::kernels

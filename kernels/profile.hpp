// Where a step's time goes: operations name their stretches of work, which then show in a profiler's timeline (NVTX)
// and, on a CpuStream that keeps a profile, in that.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/stream.hpp"

namespace plume::kernels {

// Stretches of work in the order they began. Names of passes and algorithms are literals.
class Profile {
 public:
  struct Entry {
    std::string layer;           // or what is none: "loss", "optimizer"
    std::string_view pass;       // "forward", "data gradient", "weight gradient", "backward", "update"
    double seconds = 0;          // without the stretches inside it
    double flops = 0;            // of the convolution by its definition, whichever algorithm runs
    std::string_view algorithm;  // "direct", "F2", "F4"; empty where it is no convolution
  };

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  void clear() { entries_.clear(); }  // not inside a stretch

  void open(std::string_view layer, std::string_view pass, double flops);
  void close();
  // What the innermost stretch does its work by.
  void name_algorithm(std::string_view algorithm);

 private:
  using Clock = std::chrono::steady_clock;
  // Gives the time since the last change to the innermost stretch.
  void charge();

  std::vector<Entry> entries_;
  std::vector<std::size_t> open_;  // entries, the innermost last
  Clock::time_point last_;
};

// A stretch from here to the end of the scope.
class ProfileRange {
 public:
  ProfileRange(Stream& stream, std::string_view layer, std::string_view pass, double flops = 0);
  ProfileRange(const ProfileRange&) = delete;
  ProfileRange& operator=(const ProfileRange&) = delete;
  ~ProfileRange();

 private:
  Profile* profile_ = nullptr;
};

// For kernels that have a choice.
inline void name_algorithm(CpuStream& stream, std::string_view algorithm) {
  if (stream.profile()) stream.profile()->name_algorithm(algorithm);
}

}  // namespace plume::kernels

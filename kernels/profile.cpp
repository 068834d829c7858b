// Profiles of CPU streams, and the timeline beside them.
#include "kernels/profile.hpp"

#include <variant>

#include "kernels/cuda/timeline.hpp"

namespace plume::kernels {

void Profile::charge() {
  const Clock::time_point now = Clock::now();
  if (!open_.empty()) entries_[open_.back()].seconds += std::chrono::duration<double>(now - last_).count();
  last_ = now;
}

void Profile::open(std::string_view layer, std::string_view pass, double flops) {
  charge();
  open_.push_back(entries_.size());
  entries_.push_back({std::string(layer), pass, 0, flops, {}});
}

void Profile::close() {
  charge();
  open_.pop_back();
}

void Profile::name_algorithm(std::string_view algorithm) {
  if (!open_.empty()) entries_[open_.back()].algorithm = algorithm;
}

ProfileRange::ProfileRange(Stream& stream, std::string_view layer, std::string_view pass, double flops) {
  push_timeline(layer, pass);
  if (const auto* cpu = std::get_if<CpuStream>(&stream)) profile_ = cpu->profile();
  if (profile_) profile_->open(layer, pass, flops);
}

ProfileRange::~ProfileRange() {
  if (profile_) profile_->close();
  pop_timeline();
}

}  // namespace plume::kernels

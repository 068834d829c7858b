// How fast requests may leave: what AWS's clients call the adaptive mode. Nothing is held back until a service
// throttles; from then on the rate falls with every throttled reply and grows with every other one.
// Source: AWS SDKs and Tools Reference Guide, "Retry behavior"; Ha, Rhee and Xu, "CUBIC: a new TCP-friendly high-speed
// TCP variant", 2008, equations 1 and 2.
#pragma once

#include <atomic>
#include <mutex>

#include "cloud/client/clock.hpp"

namespace plume::cloud {

// Requests a second that are allowed, by what has been throttled when; times in seconds.
class CubicRate {
 public:
  explicit CubicRate(double start);
  [[nodiscard]] double after_success(double time) const;
  // `rate` is the one at which requests were sent when one was throttled.
  double after_throttle(double rate, double time);

 private:
  void set_most(double rate);

  double most_ = 0;   // the rate that was too high
  double zero_ = 0;   // seconds after which it is reached again
  double since_ = 0;  // when that was
};

// Thread-safe.
class RateLimiter {
 public:
  explicit RateLimiter(const Clock& clock);  // a copy of it

  // Returns when a request may be sent, or `cancelled` is set.
  void wait(const std::atomic<bool>* cancelled);
  void replied(bool throttled);
  // Requests a second; 0: as many as there are.
  [[nodiscard]] double rate() const;

 private:
  [[nodiscard]] double now() const;
  double measure(double time);
  void refill(double time);

  Clock clock_;
  mutable std::mutex mutex_;  // for all below
  bool limits_ = false;
  CubicRate cubic_;
  double allowed_ = 0;   // a second
  double tokens_ = 0;    // requests that may leave at once; below 0: that many wait
  double refilled_ = 0;  // when
  double measured_ = 0;  // requests a second, smoothed
  double counted_ = 0;   // replies since `half_second_`
  double half_second_ = 0;
};

}  // namespace plume::cloud

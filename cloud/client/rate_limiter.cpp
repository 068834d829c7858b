// A bucket of tokens, whose rate of filling is the curve's.
#include "cloud/client/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace plume::cloud {
namespace {

constexpr double scale = 0.4;  // CUBIC's C
constexpr double beta = 0.7;   // what is left of a rate that was too high
constexpr double least_rate = 0.5;
constexpr double most_growth = 2;  // over the rate that was measured
constexpr double smoothing = 0.8;

}  // namespace

CubicRate::CubicRate(double start) {
  set_most(start);
}

void CubicRate::set_most(double rate) {
  most_ = rate;
  zero_ = std::cbrt(most_ * (1 - beta) / scale);
}

double CubicRate::after_success(double time) const {
  return scale * std::pow(time - since_ - zero_, 3) + most_;
}

double CubicRate::after_throttle(double rate, double time) {
  set_most(rate);
  since_ = time;
  return rate * beta;
}

RateLimiter::RateLimiter(const Clock& clock)
    : clock_(clock), cubic_(least_rate), refilled_(now()), half_second_(std::floor(now())) {}

double RateLimiter::now() const {
  return std::chrono::duration<double>(clock_.elapsed()).count();
}

double RateLimiter::rate() const {
  const std::lock_guard lock(mutex_);
  return limits_ ? allowed_ : 0;
}

void RateLimiter::refill(double time) {
  tokens_ = std::min(std::max(allowed_, 1.0), tokens_ + (time - refilled_) * allowed_);
  refilled_ = time;
}

void RateLimiter::wait(const std::atomic<bool>* cancelled) {
  double seconds = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!limits_) return;
    refill(now());
    tokens_ -= 1;  // whoever comes later waits longer
    seconds = -tokens_ / allowed_;
  }
  if (seconds > 0) clock_.sleep(std::chrono::milliseconds(static_cast<long>(std::ceil(1000 * seconds))), cancelled);
}

double RateLimiter::measure(double time) {
  const double half_second = std::floor(2 * time) / 2;
  counted_ += 1;
  if (half_second > half_second_) {
    measured_ = smoothing * counted_ / (half_second - half_second_) + (1 - smoothing) * measured_;
    counted_ = 0;
    half_second_ = half_second;
  }
  return measured_;
}

void RateLimiter::replied(bool throttled) {
  const std::lock_guard lock(mutex_);
  const double time = now();
  const double measured = measure(time);
  double rate = 0;
  if (throttled) {
    rate = cubic_.after_throttle(limits_ ? std::min(measured, allowed_) : measured, time);
    limits_ = true;
  } else {
    rate = cubic_.after_success(time);
  }
  refill(time);
  allowed_ = std::max(std::min(rate, most_growth * measured), least_rate);
  tokens_ = std::min(tokens_, std::max(allowed_, 1.0));
}

}  // namespace plume::cloud

// Words and numbers of the standard mode.
#include "cloud/client/retry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace plume::cloud {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 13> throttled{"BandwidthLimitExceeded",
                                                     "LimitExceededException",
                                                     "PriorRequestNotComplete",
                                                     "ProvisionedThroughputExceededException",
                                                     "RequestLimitExceeded",
                                                     "RequestThrottled",
                                                     "RequestThrottledException",
                                                     "SlowDown",
                                                     "ThrottledException",
                                                     "Throttling",
                                                     "ThrottlingException",
                                                     "TooManyRequestsException",
                                                     "TransactionInProgressException"};
constexpr std::array<std::string_view, 5> transient{"InternalError", "ConditionalRequestConflict", "OperationAborted",
                                                    "RequestTimeout", "RequestTimeoutException"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::optional<long> number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

Fault fault_of(const ServiceError& error) {
  if (is_one_of(throttled, error.code) || error.status == 429) return Fault::throttled;
  const bool server = error.status == 500 || error.status == 502 || error.status == 503 || error.status == 504;
  return server || is_one_of(transient, error.code) ? Fault::transient : Fault::lasting;
}

Fault fault_of(const TransportError& error) {
  if (!error.transient()) return Fault::lasting;
  return error.kind() == TransportError::Kind::timeout ? Fault::timeout : Fault::transient;
}

milliseconds backoff(int retry, Fault fault, double random) {
  constexpr double longest = 20'000;
  const double base = fault == Fault::throttled ? 1000 : 50;
  const double ceiling = std::min(base * static_cast<double>(1ULL << std::min(retry - 1, 20)), longest);
  return milliseconds(static_cast<long>(random * ceiling));
}

std::optional<milliseconds> asked_delay(const HttpResponse& response, Time now) {
  // No server may hold a client for longer than that.
  constexpr milliseconds longest{20'000};
  std::optional<milliseconds> asked;
  if (const auto wait = number(response.header("x-amz-retry-after"))) {
    asked = milliseconds(*wait);
  } else if (const std::string_view text = response.header("retry-after"); !text.empty()) {
    if (const auto seconds = number(text)) {
      asked = std::chrono::seconds(std::min(*seconds, 1'000'000L));
    } else if (const auto date = parse_time(text)) {
      asked = std::max(*date - now, std::chrono::seconds(0));
    }
  }
  return asked ? std::optional<milliseconds>(std::min(*asked, longest)) : std::nullopt;
}

bool RetryQuota::take(Fault fault) {
  const std::lock_guard lock(mutex_);
  if (tokens_ < cost(fault)) return false;
  tokens_ -= cost(fault);
  return true;
}

void RetryQuota::give_back(Fault fault) {
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(most, tokens_ + (fault == Fault::lasting ? 1 : cost(fault)));
}

}  // namespace plume::cloud

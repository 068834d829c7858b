// Signs a request, sends it, and tries again where that may help.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cloud/client/clock.hpp"
#include "cloud/client/retry.hpp"
#include "cloud/endpoints/endpoint.hpp"
#include "cloud/http/transport.hpp"
#include "cloud/signing/sigv4.hpp"

namespace plume::cloud {

// Where keys come from.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // Good for at least a few minutes. `anew`: the ones before were found expired.
  [[nodiscard]] virtual Credentials get(bool anew = false) = 0;
};

struct ServiceRequest {
  std::string what;  // for messages: "GetObject s3://bucket/key"
  Endpoint endpoint;
  std::string method = "GET";
  std::string path;   // behind the endpoint's own; percent-encoded
  std::string query;  // percent-encoded
  Headers headers;
  Body* body = nullptr;
  BodySink* sink = nullptr;
  std::string payload_hash;          // of the body; empty: of none
  std::optional<Timeouts> timeouts;  // nothing: the client's
  // Signs instead of the client's own keys: those of an S3 Express session, whose token has a header of its own.
  std::optional<Credentials> session;
  // The endpoint in another region, where the reply says that the bucket is there; once.
  std::function<Endpoint(const std::string& region)> elsewhere;
  // Some replies of 200 hold an error.
  bool ok_may_hold_error = false;
  // Cleaning up goes on after a user has cancelled.
  bool even_when_cancelled = false;
};

struct ClientSettings {
  int attempts = 3;
  Timeouts timeouts{};
  std::string user_agent = "plume";
  const std::atomic<bool>* cancelled = nullptr;
  // On the clock's `elapsed`: no attempt takes longer, and none follows where there is no time left to wait for it.
  std::optional<std::chrono::milliseconds> deadline{};
  // Gets what was signed and how it went, without secrets; empty: nobody listens.
  std::function<void(const std::string&)> debug{};
};

class ServiceClient {
 public:
  // `credentials` nullptr: requests are not signed. `transport` and `credentials` outlive the client.
  ServiceClient(Transport& transport, CredentialSource* credentials, Clock clock, ClientSettings settings = {});

  // A reply of 2xx. Safe to call from several threads. Throws cloud::Error: the service's own (to_error), or that of
  // the connection, after all attempts.
  [[nodiscard]] HttpResponse call(const ServiceRequest& request);
  // The last attempt's reply, whatever its status; for who makes more of an error than a message. Throws
  // TransportError where none came.
  [[nodiscard]] HttpResponse answer(const ServiceRequest& request);

  // An address by which anybody may send the request until it expires.
  [[nodiscard]] std::string presign(const ServiceRequest& request, std::chrono::seconds expires);

  // The clock that services seem to have.
  [[nodiscard]] Time now() const { return clock_.now() + std::chrono::seconds(skew_.load()); }
  [[nodiscard]] std::chrono::seconds skew() const { return std::chrono::seconds(skew_.load()); }
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
  [[nodiscard]] const ClientSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] CredentialSource* credentials() const noexcept { return credentials_; }
  [[nodiscard]] SigningKey signing_key(const Credentials& credentials, Time time, const std::string& region,
                                       const std::string& service);

 private:
  struct Try;  // of one call
  [[nodiscard]] HttpResponse send(const ServiceRequest& request, Try& state);
  void sign(const ServiceRequest& request, const Endpoint& endpoint, HttpRequest& message, Try& state);
  [[nodiscard]] bool cure(const ServiceRequest& request, const HttpResponse& response, const ServiceError& error,
                          Try& state);
  [[nodiscard]] bool corrects_clock(const HttpResponse& response, const ServiceError& error);
  // Waits; false where there is to be no other attempt.
  [[nodiscard]] bool try_again(Try& state, Fault fault, std::optional<std::chrono::milliseconds> asked);

  void tell(const std::string& text) const {
    if (settings_.debug) settings_.debug(text);
  }

  Transport& transport_;
  CredentialSource* credentials_;
  Clock clock_;
  ClientSettings settings_;
  RetryQuota quota_;
  std::atomic<long> skew_{0};  // seconds that services are ahead of us
  std::mutex keys_mutex_;
  std::vector<SigningKey> keys_;
};

}  // namespace plume::cloud

// One attempt after the other, each signed anew.
#include "cloud/client/service_client.hpp"

#include <algorithm>
#include <array>

#include "cloud/signing/percent.hpp"

namespace plume::cloud {
namespace {

using std::chrono::milliseconds;

const std::string empty_hash = hex(sha256(std::string_view()));

std::string with_token_hidden(std::string text, const Credentials& credentials) {
  const std::string_view token = credentials.session_token.reveal();
  if (token.empty()) return text;
  for (const std::string& form : {std::string(token), percent_encode(token)})
    for (std::size_t at = text.find(form); at != std::string::npos; at = text.find(form, at))
      text.replace(at, form.size(), "[hidden]");
  return text;
}

std::string joined_path(const Endpoint& endpoint, const std::string& path) {
  std::string joined = endpoint.url.path;
  if (joined.ends_with('/') && path.starts_with('/')) joined.pop_back();
  joined += path;
  return joined.empty() ? "/" : joined;
}

void check_authentication(const ServiceRequest& request) {
  const bool by_session = request.endpoint.authentication == Authentication::express && request.session;
  if (request.endpoint.authentication != Authentication::sigv4 && !by_session)
    throw cloud_error(Failure::usage,
                      "{}: plume cannot sign for {}, only for usual buckets and access points of a region",
                      request.what, request.endpoint.url.host);
}

bool is_fine(const ServiceRequest& request, const HttpResponse& response) {
  return response.ok() && !(request.ok_may_hold_error && holds_error(response));
}

bool says_expired(const ServiceError& error) {
  return error.code == "ExpiredToken" || error.code == "ExpiredTokenException" || error.code == "TokenRefreshRequired";
}

bool says_elsewhere(const ServiceError& error) {
  // A region becomes part of a host's name, so it must not be one of its own.
  return is_host_label(error.region) && (error.status == 301 || error.status == 307 || error.status == 400);
}

}  // namespace

struct ServiceClient::Try {
  Endpoint endpoint;
  const std::atomic<bool>* cancelled = nullptr;
  std::optional<Credentials> credentials;
  int attempt = 1;
  Fault last = Fault::lasting;  // why it was last tried again
  bool renewed = false;         // each cure once
  bool redirected = false;
  bool clock_corrected = false;
};

ServiceClient::ServiceClient(Transport& transport, CredentialSource* credentials, Clock clock, ClientSettings settings)
    : transport_(transport),
      credentials_(credentials),
      clock_(std::move(clock)),
      settings_(std::move(settings)),
      limiter_(clock_) {}

SigningKey ServiceClient::signing_key(const Credentials& credentials, Time time, const std::string& region,
                                      const std::string& service) {
  const std::lock_guard lock(keys_mutex_);
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const SigningKey& key) {
    return key.serves(credentials, time, region, service);
  });
  if (found != keys_.end()) return *found;
  constexpr std::size_t most = 8;
  if (keys_.size() == most) keys_.erase(keys_.begin());
  return keys_.emplace_back(credentials, time, region, service);
}

HttpResponse ServiceClient::call(const ServiceRequest& request) {
  HttpResponse response = answer(request);
  if (!is_fine(request, response)) throw to_error(request.what, parse_service_error(response));
  return response;
}

HttpResponse ServiceClient::answer(const ServiceRequest& request) {
  check_authentication(request);
  Try state;
  state.endpoint = request.endpoint;
  if (!request.even_when_cancelled) state.cancelled = settings_.cancelled;
  while (true) {
    try {
      if (settings_.adaptive) limiter_.wait(state.cancelled);
      HttpResponse response = send(request, state);
      response.attempt = state.attempt;
      const bool fine = is_fine(request, response);
      const ServiceError error = fine ? ServiceError() : parse_service_error(response);
      const Fault fault = fine ? Fault::lasting : fault_of(error);
      if (settings_.adaptive) limiter_.replied(fault == Fault::throttled);
      if (fine) {
        if (request.sink != nullptr) request.sink->end(response);
        quota_.give_back(state.last);
        return response;
      }
      tell(fmt::format("{}: {} {}", request.what, error.status, error.code));
      if (cure(request, response, error, state)) continue;
      if (fault == Fault::lasting || !try_again(state, fault, asked_delay(response, clock_.now()))) return response;
    } catch (const TransportError& error) {
      tell(fmt::format("{}: {}", request.what, error.what()));
      const Fault fault = fault_of(error);
      if (fault == Fault::lasting || !try_again(state, fault, std::nullopt))
        throw TransportError(
            error.kind(), fmt::format("{}: {}{}", request.what, error.what(),
                                      state.attempt > 1 ? fmt::format(" (attempt {})", state.attempt) : std::string()));
    }
  }
}

HttpResponse ServiceClient::send(const ServiceRequest& request, Try& state) {
  HttpRequest message;
  message.method = request.method;
  message.url = state.endpoint.url;
  message.url.path = joined_path(state.endpoint, request.path);
  message.url.query = request.query;
  message.headers = request.headers;
  message.body = request.body;
  message.sink = request.sink;
  message.timeouts = request.timeouts.value_or(settings_.timeouts);
  message.cancelled = state.cancelled;
  if (settings_.deadline) {
    const milliseconds left = std::max(*settings_.deadline - clock_.elapsed(), milliseconds(1));
    milliseconds& whole = message.timeouts.whole;
    whole = whole.count() > 0 ? std::min(whole, left) : left;
  }
  sign(request, state.endpoint, message, state);
  message.headers.push_back({"User-Agent", settings_.user_agent});
  return transport_.send(message);
}

void ServiceClient::sign(const ServiceRequest& request, const Endpoint& endpoint, HttpRequest& message, Try& state) {
  if (credentials_ == nullptr) return;
  if (!state.credentials) state.credentials = request.session ? *request.session : credentials_->get();
  Credentials keys = *state.credentials;
  if (request.session) {
    message.headers.push_back({"x-amz-s3session-token", std::string(keys.session_token.reveal())});
    keys.session_token = {};
  }
  const Time time = now();
  const bool s3 = endpoint.signing_name.starts_with("s3");
  const std::string& hash = request.payload_hash.empty() ? empty_hash : request.payload_hash;
  if (s3) message.headers.push_back({"x-amz-content-sha256", hash});
  message.headers.push_back({"Host", message.url.authority()});
  const SigningKey key = signing_key(keys, time, endpoint.signing_region, endpoint.signing_name);
  const Signature signature = sign_headers(message.method, message.url.path, message.url.query, message.headers, keys,
                                           key, time, s3 ? s3_path : PathRules{}, hash);
  if (request.on_signed) request.on_signed(key, time, signature.signature);
  if (settings_.debug)
    tell(with_token_hidden(fmt::format("{}: canonical request\n{}\n{}: string to sign\n{}", request.what,
                                       signature.canonical.text, request.what, signature.string_to_sign),
                           *state.credentials));
}

bool ServiceClient::cure(const ServiceRequest& request, const HttpResponse& response, const ServiceError& error,
                         Try& state) {
  if (!state.clock_corrected && corrects_clock(response, error)) return state.clock_corrected = true;
  if (!state.renewed && credentials_ != nullptr && !request.session && says_expired(error)) {
    state.credentials = credentials_->get(true);
    return state.renewed = true;
  }
  if (!state.redirected && request.elsewhere && says_elsewhere(error) &&
      error.region != state.endpoint.signing_region) {
    state.endpoint = request.elsewhere(error.region);
    return state.redirected = true;
  }
  return false;
}

bool ServiceClient::corrects_clock(const HttpResponse& response, const ServiceError& error) {
  static constexpr std::array<std::string_view, 6> words{"RequestTimeTooSkewed",  "RequestExpired",
                                                         "RequestInTheFuture",    "InvalidSignatureException",
                                                         "SignatureDoesNotMatch", "AuthFailure"};
  if (std::find(words.begin(), words.end(), error.code) == words.end()) return false;
  auto theirs = parse_time(error.server_time);
  if (!theirs) theirs = parse_time(response.header("date"));
  if (!theirs) return false;
  // A wrong key is refused in the same words, so a clock must really differ.
  constexpr std::chrono::minutes tolerated{4};
  const auto difference = *theirs - now();
  if (std::chrono::abs(difference) < tolerated) return false;
  skew_ = (*theirs - clock_.now()).count();
  tell(fmt::format("this machine's clock differs by {} s from the service's", -skew_.load()));
  return true;
}

bool ServiceClient::try_again(Try& state, Fault fault, std::optional<milliseconds> asked) {
  if (state.attempt >= settings_.attempts) return false;
  milliseconds delay = backoff(state.attempt, fault, clock_.random());
  // What the server asks for, and at most 5 s more: not all clients come back in the same moment.
  if (asked) delay = std::clamp(delay, *asked, *asked + milliseconds(5000));
  if (settings_.deadline && clock_.elapsed() + delay >= *settings_.deadline) return false;
  if (!quota_.take(fault)) return false;
  clock_.sleep(delay, state.cancelled);
  ++state.attempt;
  state.last = fault;
  return state.cancelled == nullptr || !state.cancelled->load();
}

std::string ServiceClient::presign(const ServiceRequest& request, std::chrono::seconds expires) {
  check_authentication(request);
  Url url = request.endpoint.url;
  url.path = joined_path(request.endpoint, request.path);
  url.query = request.query;
  if (credentials_ == nullptr) return url.text();
  constexpr std::chrono::hours week{7 * 24};
  if (expires <= std::chrono::seconds(0) || expires > week)
    throw cloud_error(Failure::usage, "{}: a presigned address expires after 1 second to 7 days, not {} s",
                      request.what, expires.count());
  const Credentials keys = credentials_->get();
  const Time time = now();
  Headers headers = request.headers;
  headers.push_back({"Host", url.authority()});
  const bool s3 = request.endpoint.signing_name.starts_with("s3");
  sign_query(request.method, url.path, url.query, headers, keys,
             signing_key(keys, time, request.endpoint.signing_region, request.endpoint.signing_name), time, expires,
             s3 ? s3_path : PathRules{}, s3 ? std::string_view(unsigned_payload) : std::string_view(empty_hash));
  return url.text();
}

}  // namespace plume::cloud

// AWS Signature Version 4: a request's signature in its headers, or in its query (presigned).
// Source: AWS, "AWS Signature Version 4 for API requests"; Amazon S3 API Reference, "Authenticating Requests".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "cloud/signing/canonical.hpp"
#include "cloud/signing/credentials.hpp"
#include "cloud/signing/digest.hpp"
#include "cloud/signing/time.hpp"

namespace plume::cloud {

// What signs all requests of a day to a service in a region; worth keeping, as it costs as much as signing twice.
class SigningKey {
 public:
  SigningKey(const Credentials& credentials, Time time, std::string_view region, std::string_view service);
  ~SigningKey() { wipe(key_.data(), key_.size()); }
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;

  [[nodiscard]] const std::string& scope() const noexcept { return scope_; }  // 20130524/us-east-1/s3/aws4_request
  [[nodiscard]] const std::string& access_key_id() const noexcept { return access_key_id_; }
  [[nodiscard]] std::string credential() const { return access_key_id_ + '/' + scope_; }
  [[nodiscard]] std::string sign(std::string_view string_to_sign) const {
    return hex(hmac_sha256(key_, string_to_sign));
  }
  // Whether it is the one for these.
  [[nodiscard]] bool serves(const Credentials& credentials, Time time, std::string_view region,
                            std::string_view service) const;

 private:
  std::string access_key_id_;
  std::string scope_;
  Digest key_{};
};

// What is signed is the hash of `text`; the algorithm is AWS4-HMAC-SHA256.
[[nodiscard]] std::string string_to_sign(const SigningKey& key, Time time, std::string_view text);

// How a signature came about; nothing in it is secret.
struct Signature {
  CanonicalRequest canonical;
  std::string string_to_sign;
  std::string signature;  // 64 hexadecimal digits
};

// Whether a session token is part of what is signed, or only sent along (some services want that).
enum class TokenIs { signed_too, appended };

// Adds X-Amz-Date, X-Amz-Security-Token where there is a token, and Authorization to `headers`, which are
// request.headers.
// What is to be signed of them, such as x-amz-content-sha256, stands there before.
Signature sign_headers(std::string_view method, std::string_view path, std::string_view query, Headers& headers,
                       const Credentials& credentials, const SigningKey& key, Time time, PathRules rules,
                       std::string_view payload_hash, TokenIs token = TokenIs::signed_too);

// Adds the parameters X-Amz-Algorithm to X-Amz-Signature to `query`: who has the URL may send the request until it
// expires, at most 7 days later.
Signature sign_query(std::string_view method, std::string_view path, std::string& query, const Headers& headers,
                     const Credentials& credentials, const SigningKey& key, Time time, std::chrono::seconds expires,
                     PathRules rules, std::string_view payload_hash, TokenIs token = TokenIs::signed_too);

}  // namespace plume::cloud
